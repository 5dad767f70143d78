{{/* A ClusterRole of a WDS and its binding to what runs in the WDS's namespace. */}}
{{- define "core.wdsRole" -}}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata:
    name: '{{ include "core.var" "ControlPlaneName" }}-{{ .role }}'
  rules: {{- .rules | toYaml | nindent 4 }}
{{- if .binding }}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata:
    name: '{{ include "core.var" "ControlPlaneName" }}-{{ .binding }}'
  roleRef:
    apiGroup: rbac.authorization.k8s.io
    kind: ClusterRole
    name: '{{ include "core.var" "ControlPlaneName" }}-{{ .role }}'
  subjects:
    - { kind: ServiceAccount, name: default, namespace: '{{ include "core.var" "Namespace" }}' }
{{- end }}
{{- end }}

{{/* KubeStellar's controller-manager. */}}
{{- define "core.controllerTemplates" -}}
{{- $read := list "get" "list" "watch" }}
{{- $statusVerbs := semverCompare ">=0.30.0" .Chart.Version | ternary (list "get") (list "get" "patch" "update") }}
{{- $manager := list
  (dict "apiGroups" (list "") "resources" (list "secrets") "verbs" $read)
  (dict "apiGroups" (list "tenancy.kflex.kubestellar.org") "resources" (list "controlplanes") "verbs" $read)
  (dict "apiGroups" (list "tenancy.kflex.kubestellar.org") "resources" (list "controlplanes/status") "verbs" $statusVerbs) }}
{{- $metrics := list (dict "nonResourceURLs" (list "/metrics") "verbs" (list "get")) }}
{{- $proxy := list
  (dict "apiGroups" (list "authentication.k8s.io") "resources" (list "tokenreviews") "verbs" (list "create"))
  (dict "apiGroups" (list "authorization.k8s.io") "resources" (list "subjectaccessreviews") "verbs" (list "create")) }}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: Role
  metadata:
    name: kubestellar-leader-election-role
  rules:
    - apiGroups: [coordination.k8s.io]
      resources: [leases]
      verbs: [get, list, watch, create, update, patch, delete]
    - { apiGroups: [""], resources: [events], verbs: [create, patch] }
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata:
    name: kubestellar-leader-election-rolebinding
  roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: kubestellar-leader-election-role }
  subjects:
    - { kind: ServiceAccount, name: default, namespace: '{{ include "core.var" "Namespace" }}' }
{{ include "core.wdsRole" (dict "role" "kubestellar-manager-role" "binding" "kubestellar-manager-rolebinding" "rules" $manager) }}
{{ include "core.wdsRole" (dict "role" "kubestellar-metrics-reader" "rules" $metrics) }}
{{ include "core.wdsRole" (dict "role" "kubestellar-proxy-role" "binding" "kubestellar-proxy-rolebinding" "rules" $proxy) }}
{{- if semverCompare "<0.30.0" .Chart.Version }}
- { apiVersion: v1, kind: ConfigMap, metadata: { name: kubestellar-config }, data: {} }
{{- end }}
- apiVersion: v1
  kind: Service
  metadata:
    name: kubestellar-controller-manager-metrics-service
    labels: { control-plane: controller-manager }
  spec:
    ports:
      - { name: metrics, port: 8443, protocol: TCP, targetPort: metrics }
    selector: { control-plane: controller-manager }
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: kubestellar-controller-manager
    labels: { control-plane: controller-manager }
  spec:
    replicas: 1
    selector:
      matchLabels: { control-plane: controller-manager }
    template:
      metadata:
        annotations: { kubectl.kubernetes.io/default-container: manager }
        labels: { control-plane: controller-manager }
      spec:
        securityContext: { runAsNonRoot: true }
        terminationGracePeriodSeconds: 10
        containers:
          - name: kube-rbac-proxy
            image: quay.io/brancz/kube-rbac-proxy:v0.20.2
            args: [--secure-listen-address=0.0.0.0:8443, --upstream=http://127.0.0.1:8080/, --logtostderr=true, --v=0]
            ports:
              - { containerPort: 8443, name: metrics, protocol: TCP }
          - name: manager
            image: ghcr.io/kubestellar/kubestellar/controller-manager:{{ .Values.KUBESTELLAR_VERSION }}
            imagePullPolicy: IfNotPresent
            args:
              - --health-probe-bind-address=:8081
              - --metrics-bind-address=127.0.0.1:8080
              - --pprof-bind-address=:8082
              - --leader-elect
              - --wds-name={{ include "core.var" "ControlPlaneName" }}
              - --its-name={{ include "core.var" "ITSName" }}
              - --api-groups={{ include "core.var" "APIGroups" }}
              - -v={{ .Values.verbosity.kubestellar | default .Values.verbosity.default | default 2 }}
{{- end }}

{{/*
KubeStellar's transport controller. How it comes by the kubeconfigs differs: before 0.30 by a script around kubectl, up
to 0.28 for the WDS as well; since 0.30 by a program of its own, which is given a selector and a name and refuses both.
*/}}
{{- define "core.transportTemplates" -}}
{{- $is030 := semverCompare ">=0.30.0" .Chart.Version }}
{{- $is028 := semverCompare "<0.29.0" .Chart.Version }}
{{- $read := list "get" "list" "watch" }}
{{- $rules := list
  (dict "apiGroups" (list "") "resources" (list "secrets") "verbs" ($is030 | ternary (list "get") $read))
  (dict "apiGroups" (list "tenancy.kflex.kubestellar.org") "resources" (list "controlplanes") "verbs" ($is030 | ternary (list "get" "watch") $read)) }}
{{- if not $is030 }}
{{- $rules = append $rules (dict "apiGroups" (list "tenancy.kflex.kubestellar.org") "resources" (list "controlplanes/status") "verbs" (list "get" "patch" "update")) }}
{{- end }}
{{- $script := "sh /mnt/config/get-kubeconfig.sh" }}
{{ include "core.wdsRole" (dict "role" "transport-controller" "binding" "transport-controller" "rules" $rules) }}
{{- if not $is030 }}
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: transport-controller-config
  data:
    get-kubeconfig.sh: '# prints the in-cluster kubeconfig of a control plane: $1 its name, $2 whether to guess an ITS'
{{- end }}
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: transport-controller
  spec:
    replicas: 1
    selector:
      matchLabels: { name: transport-controller }
    template:
      metadata:
        labels: { name: transport-controller }
      spec:
        initContainers:
          {{- if $is028 }}
          - name: setup-wds-kubeconfig
            image: quay.io/kubestellar/kubectl:{{ .Values.KUBECTL_VERSION }}
            command: [bin/sh, -c, "{{ $script }} '{{ include "core.var" "ControlPlaneName" }}' false | base64 -d > /mnt/shared/wds-kubeconfig"]
            volumeMounts:
              - { name: config-volume, mountPath: /mnt/config }
              - { name: shared-volume, mountPath: /mnt/shared }
          {{- end }}
          {{- if $is030 }}
          - name: get-its-kubeconfig
            image: ghcr.io/kubestellar/kubestellar/kflex-get-kubeconfig:{{ .Values.KFLEX_GET_KUBECONFIG | default .Values.KUBESTELLAR_VERSION }}
            args:
              - --control-plane-label-selector
              - kflex.kubestellar.io/cptype=its
              - --control-plane-name
              - '{{ include "core.var" "ITSName" }}'
              - --output-file
              - /etc/kube/its/kubeconfig
            volumeMounts:
              - { name: its-kubeconfig-volume, mountPath: /etc/kube/its }
          {{- else }}
          - name: setup-its-kubeconfig
            image: quay.io/kubestellar/kubectl:{{ .Values.KUBECTL_VERSION }}
            {{- /* 0.28 fills the variable in when the chart is rendered, where it has no value. */}}
            command: [bin/sh, -c, "{{ $script }} '{{ if not $is028 }}{{ include "core.var" "ITSName" }}{{ end }}' true true | base64 -d > /mnt/shared/transport-kubeconfig"]
            volumeMounts:
              - { name: config-volume, mountPath: /mnt/config }
              - { name: shared-volume, mountPath: /mnt/shared }
          {{- end }}
        containers:
          - name: transport-controller
            image: ghcr.io/kubestellar/kubestellar/ocm-transport-controller:{{ .Values.TRANSPORT_VERSION | default .Values.KUBESTELLAR_VERSION }}
            args:
              - --transport-kubeconfig={{ $is030 | ternary "/etc/kube/its/kubeconfig" "/mnt/shared/transport-kubeconfig" }}
              - --wds-kubeconfig={{ if $is028 }}/mnt/shared/wds-kubeconfig{{ else }}/etc/kube/wds/{{ include "core.var" (include "core.wdsKey" .) }}{{ end }}
              - --wds-name={{ include "core.var" "ControlPlaneName" }}
              {{- range $name := list "transport_qps" "transport_burst" "wds_qps" "wds_burst" "max_num_wrapped" "max_size_wrapped" }}
              - --{{ replace "_" "-" $name }}={{ index $.Values.transport_controller $name | int }}
              {{- end }}
              - -v={{ .Values.verbosity.transport | default .Values.verbosity.default | default 4 }}
            volumeMounts:
              {{- if not $is028 }}
              - { name: wds-kubeconfig-volume, mountPath: /etc/kube/wds, readOnly: true }
              {{- end }}
              {{- if $is030 }}
              - { name: its-kubeconfig-volume, mountPath: /etc/kube/its, readOnly: true }
              {{- else }}
              - { name: shared-volume, mountPath: /mnt/shared, readOnly: true }
              {{- end }}
        volumes:
          {{- if not $is028 }}
          - name: wds-kubeconfig-volume
            secret: { secretName: '{{ include "core.var" "WDSSecretName" }}' }
          {{- end }}
          {{- if $is030 }}
          - name: its-kubeconfig-volume
            emptyDir: { medium: Memory }
          {{- else }}
          - name: shared-volume
            emptyDir: {}
          - name: config-volume
            configMap: { name: transport-controller-config, defaultMode: 0744 }
          {{- end }}
{{- end }}
