{{/* The release's namespace where older versions forgot to say which (up to 0.9.1), kubeflex-system since. */}}
{{- define "kubeflex.hooksNamespace" -}}
{{- semverCompare ">=0.9.2" .Chart.Version | ternary "kubeflex-system" .Release.Namespace -}}
{{- end }}

{{- define "kubeflex.hookLabels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion }}
helm.sh/chart: "{{ .Chart.Name }}-{{ .Chart.Version }}"
{{- end }}

{{- define "kubeflex.restricted" -}}
securityContext:
  allowPrivilegeEscalation: false
  capabilities: { drop: [ALL] }
{{- end }}
