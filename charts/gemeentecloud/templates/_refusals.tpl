{{/* What the schema cannot say, said at once: values that are needed, and values that exclude each other. */}}
{{- define "gemeentecloud.refusals" -}}
{{- $wrong := list }}
{{- with .Values }}
{{- if not .image.repository }}
{{- $wrong = append $wrong "image.repository is empty: build the image and name where it was pushed" }}
{{- end }}
{{- if and .database.url .database.existingSecret.name }}
{{- $wrong = append $wrong "database.url and database.existingSecret.name are both given: one of them" }}
{{- else if not (or .database.url .database.existingSecret.name) }}
{{- $wrong = append $wrong "database is missing: give database.existingSecret.name (a Secret with the URL) or database.url" }}
{{- end }}
{{- if and .encryptionKey.value .encryptionKey.existingSecret.name }}
{{- $wrong = append $wrong "encryptionKey.value and encryptionKey.existingSecret.name are both given: one of them" }}
{{- else if not (or .encryptionKey.value .encryptionKey.existingSecret.name) }}
{{- $wrong = append $wrong "encryptionKey is missing: 32 bytes in base64 (openssl rand -base64 32) as encryptionKey.value or in encryptionKey.existingSecret.name; keep a copy" }}
{{- end }}
{{- if and .bootstrapToken.value .bootstrapToken.existingSecret.name }}
{{- $wrong = append $wrong "bootstrapToken.value and bootstrapToken.existingSecret.name are both given: one of them" }}
{{- end }}
{{- if and (or .bootstrapToken.value .bootstrapToken.existingSecret.name) (not .desk.oin) }}
{{- $wrong = append $wrong "desk.oin is empty: the first token belongs to the desk, which is known by its OIN" }}
{{- end }}
{{- if and .ingress.enabled (not .ingress.host) }}
{{- $wrong = append $wrong "ingress.host is empty while ingress.enabled is true" }}
{{- end }}
{{- if and .gateway.enabled (not .gateway.tlsSecret) }}
{{- $wrong = append $wrong "gateway.tlsSecret is empty while gateway.enabled is true: name the Secret with its certificate and key" }}
{{- end }}
{{- end }}
{{- if $wrong }}
{{- fail (printf "\n\nThese values are not complete:\n  - %s\n" (join "\n  - " $wrong)) }}
{{- end }}
{{- end }}
