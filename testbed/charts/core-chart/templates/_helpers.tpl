{{/* Since 0.29 the hooks are one a task; before, one a space: its-with-clusteradm, its-without-clusteradm, wds. */}}
{{- define "core.hasTaskHooks" -}}
{{- if semverCompare ">=0.29.0" .Chart.Version }}true{{ end -}}
{{- end }}

{{/* The hooks' variables for the key of a kubeconfig Secret have been renamed in 0.30. */}}
{{- define "core.itsKey" -}}
{{- semverCompare ">=0.30.0" .Chart.Version | ternary "ITSSecretKey" "ITSkubeconfig" -}}
{{- end }}

{{- define "core.wdsKey" -}}
{{- semverCompare ">=0.30.0" .Chart.Version | ternary "WDSSecretKey" "WDSkubeconfig" -}}
{{- end }}

{{/* A variable that KubeFlex fills in when it runs a hook. */}}
{{- define "core.var" -}}
{{ printf "{{.%s}}" . }}
{{- end }}

{{/* What a container has that works in the ITS: its kubeconfig. */}}
{{- define "core.itsAccess" -}}
env:
  - { name: KUBECONFIG, value: '/etc/kube/{{ include "core.var" (include "core.itsKey" .) }}' }
volumeMounts:
  - { name: kubeconfig, mountPath: /etc/kube, readOnly: true }
{{- end }}

{{- define "core.itsVolumes" -}}
volumes:
  - name: kubeconfig
    secret: { secretName: '{{ include "core.var" "ITSSecretName" }}' }
{{- end }}

{{- define "core.clusteradm" -}}
- name: '{{ include "core.var" "HookName" }}-clusteradm'
  image: quay.io/kubestellar/clusteradm:{{ .Values.CLUSTERADM_VERSION }}
  args:
    - init
    - -v={{ .Values.verbosity.clusteradm | default .Values.verbosity.default | default 2 }}
    - --wait
    {{- if include "core.hasTaskHooks" . }}
    - --timeout=300
    {{- end }}
  {{- include "core.itsAccess" . | nindent 2 }}
{{- end }}

{{- define "core.statusAddon" -}}
- name: {{ if include "core.hasTaskHooks" . }}status{{ else }}'{{ include "core.var" "HookName" }}-statusaddon'{{ end }}
  image: quay.io/kubestellar/helm:{{ .Values.HELM_VERSION }}
  args:
    - upgrade
    - --install
    - status-addon
    - oci://ghcr.io/kubestellar/ocm-status-addon-chart
    - --version
    - v{{ .Values.OCM_STATUS_ADDON_VERSION }}
    - --namespace
    - open-cluster-management
    - --create-namespace
    - --set
    - controller.verbosity={{ .Values.status_controller.v | default .Values.verbosity.default | default 2 }}
    {{- range $name := list "hub_burst" "hub_qps" "local_burst" "local_qps" }}
    - --set
    - agent.{{ $name }}={{ index $.Values.status_agent $name }}
    {{- end }}
  {{- include "core.itsAccess" . | nindent 2 }}
{{- end }}
