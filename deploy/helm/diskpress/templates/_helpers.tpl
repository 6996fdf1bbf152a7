{{- /* The image of all pods: by its digest where that is known. */ -}}
{{- define "diskpress.image" -}}
{{- $repository := required "image.repository is not set: say where the nodes pull the image of Diskpress" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{- /* How the pods log, as items of their environment. */ -}}
{{- define "diskpress.logging" -}}
{{- with .Values.logLevel }}
- name: LOG_LEVEL
  value: {{ . | quote }}
{{- end }}
{{- with .Values.logFormat }}
- name: LOG_FORMAT
  value: {{ . | quote }}
{{- end }}
{{- end }}

{{- /*
The ServiceAccount and the rights of a step of an installation: (dict "root" $ "name" … "hooks" … "clusterRules" … "rules" …),
both rules in JSON. They are there for as long as the step takes.
*/ -}}
{{- define "diskpress.stepRights" -}}
{{- $metadata := include "diskpress.stepMetadata" . -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- $metadata | nindent 2 }}
  namespace: {{ .root.Release.Namespace | quote }}
automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  {{- $metadata | nindent 2 }}
rules:
  {{- .clusterRules | fromJsonArray | toYaml | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  {{- $metadata | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ .name }}
    namespace: {{ .root.Release.Namespace | quote }}
{{- with .rules }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- $metadata | nindent 2 }}
  namespace: {{ $.root.Release.Namespace | quote }}
rules:
  {{- . | fromJsonArray | toYaml | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- $metadata | nindent 2 }}
  namespace: {{ $.root.Release.Namespace | quote }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $.name }}
subjects:
  - kind: ServiceAccount
    name: {{ $.name }}
    namespace: {{ $.root.Release.Namespace | quote }}
{{- end }}
{{- end }}

{{- define "diskpress.stepMetadata" -}}
name: {{ .name }}
labels:
  app.kubernetes.io/component: storage
  app.kubernetes.io/part-of: diskpress
annotations:
  helm.sh/hook: {{ .hooks }}
  helm.sh/hook-weight: "-5"
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{- /* The pod of a step: (dict "root" $ "name" … "step" … "settings" Secret), the last where it reads cdi.spec. */ -}}
{{- define "diskpress.stepPod" -}}
metadata:
  labels:
    app.kubernetes.io/component: storage
    app.kubernetes.io/part-of: diskpress
spec:
  serviceAccountName: {{ .name }}
  automountServiceAccountToken: true
  restartPolicy: Never
  {{- with .root.Values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.controller.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.controller.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 107
    runAsGroup: 107
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: {{ .step }}
      image: {{ include "diskpress.image" .root | quote }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args:
        - installation
        - {{ .step }}
      env:
        - name: POD_NAMESPACE
          valueFrom:
            fieldRef:
              fieldPath: metadata.namespace
        {{- include "diskpress.logging" .root | nindent 8 }}
      resources:
        requests:
          cpu: 20m
          memory: 90Mi
          ephemeral-storage: 16Mi
        limits:
          memory: 256Mi
          ephemeral-storage: 64Mi
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop:
            - ALL
      {{- with .settings }}
      volumeMounts:
        - name: settings
          mountPath: /etc/diskpress
          readOnly: true
      {{- end }}
  {{- with .settings }}
  volumes:
    - name: settings
      secret:
        secretName: {{ . }}
  {{- end }}
{{- end }}

{{- /* The Job of a step, after its rights have been made: (dict "root" $ "name" … "step" … "hooks" … "settings" …). */ -}}
{{- define "diskpress.stepJob" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    app.kubernetes.io/component: storage
    app.kubernetes.io/part-of: diskpress
  annotations:
    helm.sh/hook: {{ .hooks }}
    helm.sh/hook-weight: "0"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
    helm.sh/hook-output-log-policy: hook-failed
spec:
  backoffLimit: 0
  activeDeadlineSeconds: 290
  template:
    {{- include "diskpress.stepPod" . | nindent 4 }}
{{- end }}
