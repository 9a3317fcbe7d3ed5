{{/*
A Deployment of replicas of the image: dict "root" $ "name" … "selector" … "labels" (names of templates) "replicas" …
"container" … "command" … "environment" (name of a template) "ports" … "resources" … and "tlsSecret", which may be empty.
*/}}
{{- define "gemeentecloud.deployment" -}}
{{- $root := .root }}
{{- $certificates := $root.Values.trustedCertificates }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  labels:
    {{- include .labels $root | nindent 4 }}
spec:
  replicas: {{ .replicas }}
  revisionHistoryLimit: 3
  minReadySeconds: 5
  # One more before one less: an update never serves with fewer replicas than were asked for.
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- include .selector $root | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include .labels $root | nindent 8 }}
        gemeentecloud.nl/tunnel: "yes"
        {{- with $root.Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        # A change of the chart's own Secret is a change of the pods. One of a Secret that exists is not seen from here.
        checksum/secret: {{ include (print $root.Template.BasePath "/secret.yaml") $root | sha256sum }}
        {{- with $root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "gemeentecloud.fullname" $root }}
      # It asks nothing of the cluster it runs in; the clusters it speaks to are registered.
      automountServiceAccountToken: false
      # Otherwise a Service named gemeentecloud would put GEMEENTECLOUD_PORT and the like into the environment, and the
      # program refuses settings it does not know.
      enableServiceLinks: false
      # 5 s until no new connections come, the 20 s that the program takes at most, and something to spare.
      terminationGracePeriodSeconds: 30
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      {{- with $root.Values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: {{ .container }}
          image: {{ include "gemeentecloud.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          {{- with .command }}
          command: {{ toJson . }}
          {{- end }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          env:
            {{- include "gemeentecloud.commonEnvironment" $root | nindent 12 }}
            {{- include .environment $root | nindent 12 }}
          ports:
            {{- range $name, $port := .ports }}
            - name: {{ $name }}
              containerPort: {{ $port }}
            {{- end }}
          # It listens when its migrations are done, which may take a while; after that it answers at once.
          startupProbe:
            httpGet: {path: /livez, port: management}
            periodSeconds: 2
            timeoutSeconds: 5
            failureThreshold: 150
          # Restarted only when it has not turned for a minute: it says 503 under load, and a restart helps no load.
          livenessProbe:
            httpGet: {path: /livez, port: management}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          # It gives the store two seconds to answer.
          readinessProbe:
            httpGet: {path: /readyz, port: management}
            periodSeconds: 5
            timeoutSeconds: 4
            failureThreshold: 2
          # By then no load balancer sends new connections, so none is refused.
          lifecycle:
            preStop:
              sleep: {seconds: 5}
          resources:
            {{- toYaml .resources | nindent 12 }}
          {{- if or $certificates.configMap .tlsSecret }}
          volumeMounts:
            {{- if $certificates.configMap }}
            - name: certificates
              mountPath: /etc/gemeentecloud/certificates
              readOnly: true
            {{- end }}
            {{- if .tlsSecret }}
            - name: tls
              mountPath: /etc/gemeentecloud/gateway
              readOnly: true
            {{- end }}
          {{- end }}
      {{- if or $certificates.configMap .tlsSecret }}
      volumes:
        {{- with $certificates }}
        {{- if .configMap }}
        - name: certificates
          configMap:
            name: {{ .configMap }}
            items:
              - {key: {{ .key | quote }}, path: {{ .key | quote }}}
        {{- end }}
        {{- end }}
        {{- with .tlsSecret }}
        - name: tls
          secret:
            secretName: {{ . }}
        {{- end }}
      {{- end }}
      topologySpreadConstraints:
        {{- $selector := .selector }}
        {{- range $topology := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
        - maxSkew: 1
          topologyKey: {{ $topology }}
          whenUnsatisfiable: {{ $root.Values.topologySpread }}
          # The pods of one release of the Deployment among themselves, so that an update spreads as well.
          matchLabelKeys: [pod-template-hash]
          labelSelector:
            matchLabels:
              {{- include $selector $root | nindent 14 }}
        {{- end }}
      {{- with $root.Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}
