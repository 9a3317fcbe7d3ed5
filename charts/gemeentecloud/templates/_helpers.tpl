{{/* Names, labels and the environment of the broker: what more than one template says. */}}

{{/* Short enough that "-management" still fits in a DNS label. */}}
{{- define "gemeentecloud.fullname" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{- define "gemeentecloud.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gemeentecloud.labels" -}}
{{ include "gemeentecloud.selector" . }}
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

{{/* Every setting of services/shared/config.ts that an installation has; a test reads what this renders with that file. */}}
{{- define "gemeentecloud.environment" -}}
- name: HOST
  value: {{ .Values.listenAddress | quote }}
- name: PORT
  value: "8080"
- name: MANAGEMENT_PORT
  value: "8081"
- name: LOG_LEVEL
  value: {{ .Values.logLevel | quote }}
- name: LOKET_NAME
  value: {{ .Values.desk.name | quote }}
{{- with .Values.desk.oin }}
- name: LOKET_OIN
  value: {{ . | quote }}
{{- end }}
{{- with .Values.allowedClusterAddresses }}
- name: ALLOWED_CLUSTER_ADDRESSES
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.refusedClusterAddresses }}
- name: REFUSED_CLUSTER_ADDRESSES
  value: {{ join "," . | quote }}
{{- end }}
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
{{- with .Values.trustedCertificates }}
{{- if .configMap }}
- name: NODE_EXTRA_CA_CERTS
  value: {{ printf "/etc/gemeentecloud/certificates/%s" .key | quote }}
{{- end }}
{{- end }}
{{- with .Values }}
{{ include "gemeentecloud.secretVariable" (dict "root" $ "name" "DATABASE_URL" "own" "database-url" "from" .database.existingSecret) }}
{{ include "gemeentecloud.secretVariable" (dict "root" $ "name" "ENCRYPTION_KEY" "own" "encryption-key" "from" .encryptionKey.existingSecret) }}
{{- if or .bootstrapToken.value .bootstrapToken.existingSecret.name }}
{{ include "gemeentecloud.secretVariable" (dict "root" $ "name" "BOOTSTRAP_TOKEN" "own" "bootstrap-token" "from" .bootstrapToken.existingSecret) }}
{{- end }}
{{- end }}
{{- end }}
