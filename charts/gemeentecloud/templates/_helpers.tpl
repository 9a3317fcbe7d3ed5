{{/* Names, labels and environments: what more than one template says. */}}

{{/* Short enough that "-management" still fits in a DNS label. */}}
{{- define "gemeentecloud.fullname" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{- define "gemeentecloud.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gemeentecloud.gatewayName" -}}
{{- printf "%s-gateway" (include "gemeentecloud.fullname" . | trunc 44 | trimSuffix "-") -}}
{{- end }}

{{/* Another name than the broker's, so that no selector of the one finds the other. */}}
{{- define "gemeentecloud.gatewaySelector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-gateway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Whatever agents connect to: brokers and gateways. */}}
{{- define "gemeentecloud.tunnelSelector" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
gemeentecloud.nl/tunnel: "yes"
{{- end }}

{{- define "gemeentecloud.labels" -}}
{{ include "gemeentecloud.selector" . }}
{{ include "gemeentecloud.commonLabels" . }}
{{- end }}

{{- define "gemeentecloud.gatewayLabels" -}}
{{ include "gemeentecloud.gatewaySelector" . }}
{{ include "gemeentecloud.commonLabels" . }}
{{- end }}

{{- define "gemeentecloud.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{- define "gemeentecloud.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Whether the chart makes a Secret: some value is given as such. */}}
{{- define "gemeentecloud.makesSecret" -}}
{{- with .Values }}{{ if or .database.url .encryptionKey.value .bootstrapToken.value }}yes{{ end }}{{ end }}
{{- end }}

{{/* One variable from the chart's own Secret or from one that exists: dict "root" $ "name" … "own" its key there "from" … */}}
{{- define "gemeentecloud.secretVariable" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      {{- if .from.name }}
      name: {{ .from.name }}
      key: {{ .from.key }}
      {{- else }}
      name: {{ include "gemeentecloud.fullname" .root }}
      key: {{ .own }}
      {{- end }}
{{- end }}

{{/* What broker and gateway both need of services/shared/config.ts. */}}
{{- define "gemeentecloud.commonEnvironment" -}}
- name: HOST
  value: {{ .Values.listenAddress | quote }}
- name: MANAGEMENT_PORT
  value: "8081"
- name: TUNNEL_PORT
  value: "8082"
{{- with .Values.tunnel.address }}
- name: TUNNEL_ADDRESS
  value: {{ . | quote }}
{{- end }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel | quote }}
{{- with .Values.allowedClusterAddresses }}
- name: ALLOWED_CLUSTER_ADDRESSES
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.refusedClusterAddresses }}
- name: REFUSED_CLUSTER_ADDRESSES
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.trustedCertificates }}
{{- if .configMap }}
- name: NODE_EXTRA_CA_CERTS
  value: {{ printf "/etc/gemeentecloud/certificates/%s" .key | quote }}
{{- end }}
{{- end }}
{{- with .Values }}
{{ include "gemeentecloud.secretVariable" (dict "root" $ "name" "DATABASE_URL" "own" "database-url" "from" .database.existingSecret) }}
{{ include "gemeentecloud.secretVariable" (dict "root" $ "name" "ENCRYPTION_KEY" "own" "encryption-key" "from" .encryptionKey.existingSecret) }}
{{- end }}
{{- end }}

{{/* Every setting of services/shared/config.ts that an installation has; a test reads what these render with that file. */}}
{{- define "gemeentecloud.brokerEnvironment" -}}
- name: PORT
  value: "8080"
- name: LOKET_NAME
  value: {{ .Values.desk.name | quote }}
{{- with .Values.desk.oin }}
- name: LOKET_OIN
  value: {{ . | quote }}
{{- end }}
- name: FALLBACK_PROFILE
  value: {{ .Values.fallbackProfile | quote }}
- name: MAX_HOSTINGS
  value: {{ .Values.ceilings.hostings | int | quote }}
- name: MAX_UNPLACED_HOSTINGS
  value: {{ .Values.ceilings.unplacedHostings | int | quote }}
- name: MAX_DATACENTERS
  value: {{ .Values.ceilings.datacenters | int | quote }}
- name: MAX_OFFERS
  value: {{ .Values.ceilings.offers | int | quote }}
- name: MAX_HOLDS
  value: {{ .Values.ceilings.holds | int | quote }}
- name: MAX_HOLD_MINUTES
  value: {{ .Values.ceilings.holdMinutes | int | quote }}
- name: MAX_CLUSTER_OBJECTS
  value: {{ .Values.clusterLimits.objects | int | quote }}
- name: MAX_CLUSTER_LIST_MIB
  value: {{ .Values.clusterLimits.listMib | int | quote }}
- name: MAX_CLUSTER_LIST_SECONDS
  value: {{ .Values.clusterLimits.listSeconds | int | quote }}
{{- with .Values.bootstrapToken }}
{{- if or .value .existingSecret.name }}
{{ include "gemeentecloud.secretVariable" (dict "root" $ "name" "BOOTSTRAP_TOKEN" "own" "bootstrap-token" "from" .existingSecret) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "gemeentecloud.gatewayEnvironment" -}}
- name: GATEWAY_PORT
  value: "8443"
- name: GATEWAY_CERTIFICATE_FILE
  value: /etc/gemeentecloud/gateway/tls.crt
- name: GATEWAY_KEY_FILE
  value: /etc/gemeentecloud/gateway/tls.key
- name: BROKER_URL
  value: {{ printf "http://%s:%d" (include "gemeentecloud.fullname" .) (int .Values.service.port) | quote }}
{{- end }}
