{{/* Which pods get a gate, said alike to the policy that adds it and to the one that looks after it. */}}

{{- define "gate.constraints" -}}
matchConstraints:
  namespaceSelector:
    matchExpressions:
      - {key: gemeentecloud.nl/hosting, operator: Exists}
      - {key: gemeentecloud.nl/activity, operator: In, values: [exclusive, pinned]}
  resourceRules:
    - {apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}
{{- end }}

{{- define "gate.variables" -}}
variables:
  - name: epoch
    expression: >-
      has(namespaceObject.metadata.annotations) && "gemeentecloud.nl/active-epoch" in namespaceObject.metadata.annotations ?
      namespaceObject.metadata.annotations["gemeentecloud.nl/active-epoch"] : "0.0"
  - name: hosting
    expression: namespaceObject.metadata.labels["gemeentecloud.nl/hosting"]
  - name: isGuarded
    expression: >-
      variables.epoch != "0.0" || !("gemeentecloud.nl/role" in namespaceObject.metadata.labels) ||
      namespaceObject.metadata.labels["gemeentecloud.nl/role"] != "standby"
  - name: hasGate
    expression: >-
      has(object.spec.initContainers) && object.spec.initContainers.size() > 0 &&
      object.spec.initContainers[0].name == "gemeentecloud-gate"
{{- end }}
