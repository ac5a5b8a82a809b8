/* The fields of every type inside the kinds that we judge, as Kubernetes 1.36, network-policy-api
 * 0.2.0 and 0.1.x, Cilium 1.20 and Istio 1.31 have them. `status`
 * and managedFields are the server's own and taken as they come. */
#include "cluster/schema.h"

/* clang-format off */
const struct kube_schema_row kube_schema_rows[] = {
    { "Namespace", "kind apiVersion metadata:ObjectMeta spec:NamespaceSpec status:any" },
    { "Pod", "kind apiVersion metadata:ObjectMeta spec:PodSpec status:any" },
    { "Service", "kind apiVersion metadata:ObjectMeta spec:ServiceSpec status:any" },
    { "Ingress", "kind apiVersion metadata:ObjectMeta spec:IngressSpec status:any" },
    { "IngressClass", "kind apiVersion metadata:ObjectMeta spec:IngressClassSpec" },
    { "NetworkPolicy", "kind apiVersion metadata:ObjectMeta spec:NetworkPolicySpec" },
    { "Deployment", "kind apiVersion metadata:ObjectMeta spec:DeploymentSpec status:any" },
    { "StatefulSet", "kind apiVersion metadata:ObjectMeta spec:StatefulSetSpec status:any" },
    { "DaemonSet", "kind apiVersion metadata:ObjectMeta spec:DaemonSetSpec status:any" },
    { "CronJob", "kind apiVersion metadata:ObjectMeta spec:CronJobSpec status:any" },
    { "Secret",
      "kind apiVersion metadata:ObjectMeta immutable:bool data:{}bytes stringData:{}str"
      " type" },
    { "ReplicaSet", "kind apiVersion metadata:ObjectMeta spec:ReplicaSetSpec status:any" },
    { "ReplicationController",
      "kind apiVersion metadata:ObjectMeta spec:ReplicationControllerSpec status:any" },
    { "Job", "kind apiVersion metadata:ObjectMeta spec:JobSpec status:any" },
    { "ClusterNetworkPolicy",
      "kind apiVersion metadata:ObjectMeta spec:ClusterNetworkPolicySpec status:any" },
    { "AdminNetworkPolicy",
      "kind apiVersion metadata:ObjectMeta spec:AdminNetworkPolicySpec status:any" },
    { "BaselineAdminNetworkPolicy",
      "kind apiVersion metadata:ObjectMeta spec:BaselineAdminNetworkPolicySpec status:any" },
    { "CiliumNetworkPolicy",
      "kind apiVersion metadata:ObjectMeta spec:CiliumRule specs:[]CiliumRule status:any" },
    { "CiliumClusterwideNetworkPolicy",
      "kind apiVersion metadata:ObjectMeta spec:CiliumRule specs:[]CiliumRule status:any" },
    { "PeerAuthentication",
      "kind apiVersion metadata:ObjectMeta spec:PeerAuthenticationSpec status:any" },
    { "ClusterNetworkPolicySpec",
      "tier priority:i32 subject:PolicySubject ingress:[]ClusterNetworkPolicyIngressRule"
      " egress:[]ClusterNetworkPolicyEgressRule" },
    { "PolicySubject", "namespaces:LabelSelector pods:NamespacedPod" },
    { "NamespacedPod", "namespaceSelector:LabelSelector podSelector:LabelSelector" },
    { "ClusterNetworkPolicyIngressRule",
      "name action from:[]PolicySubject protocols:[]ClusterNetworkPolicyProtocol" },
    { "ClusterNetworkPolicyEgressRule",
      "name action to:[]ClusterNetworkPolicyEgressPeer protocols:[]ClusterNetworkPolicyProtocol" },
    { "ClusterNetworkPolicyEgressPeer",
      "namespaces:LabelSelector pods:NamespacedPod nodes:LabelSelector networks:[]str"
      " domainNames:[]str" },
    { "ClusterNetworkPolicyProtocol",
      "tcp:ClusterNetworkPolicyTransport udp:ClusterNetworkPolicyTransport"
      " sctp:ClusterNetworkPolicyTransport destinationNamedPort" },
    { "ClusterNetworkPolicyTransport", "destinationPort:ClusterNetworkPolicyPort" },
    { "ClusterNetworkPolicyPort", "number:i32 range:ClusterNetworkPolicyPortRange" },
    { "ClusterNetworkPolicyPortRange", "start:i32 end:i32" },
    { "AdminNetworkPolicySpec",
      "priority:i32 subject:PolicySubject ingress:[]AdminNetworkPolicyIngressRule"
      " egress:[]AdminNetworkPolicyEgressRule" },
    { "BaselineAdminNetworkPolicySpec",
      "subject:PolicySubject ingress:[]AdminNetworkPolicyIngressRule"
      " egress:[]AdminNetworkPolicyEgressRule" },
    { "AdminNetworkPolicyIngressRule",
      "name action from:[]AdminNetworkPolicyIngressPeer ports:[]AdminNetworkPolicyPort" },
    { "AdminNetworkPolicyEgressRule",
      "name action to:[]AdminNetworkPolicyEgressPeer ports:[]AdminNetworkPolicyPort" },
    { "AdminNetworkPolicyIngressPeer",
      "namespaces:AdminNetworkPolicyNamespaces pods:AdminNetworkPolicyPods" },
    { "AdminNetworkPolicyEgressPeer",
      "namespaces:AdminNetworkPolicyNamespaces pods:AdminNetworkPolicyPods nodes:LabelSelector"
      " networks:[]str domainNames:[]str" },
    /* Both shapes of v1alpha1. */
    { "AdminNetworkPolicyNamespaces",
      "namespaceSelector:LabelSelector sameLabels:[]str notSameLabels:[]str matchLabels:{}str"
      " matchExpressions:[]LabelSelectorRequirement" },
    { "AdminNetworkPolicyPods",
      "namespaces:AdminNetworkPolicyNamespaces namespaceSelector:LabelSelector"
      " podSelector:LabelSelector" },
    { "AdminNetworkPolicyPort",
      "portNumber:AdminNetworkPolicyPortNumber portRange:AdminNetworkPolicyPortRange namedPort" },
    { "AdminNetworkPolicyPortNumber", "protocol port:i32" },
    { "AdminNetworkPolicyPortRange", "protocol start:i32 end:i32" },
    { "CiliumRule",
      "endpointSelector:LabelSelector nodeSelector:LabelSelector ingress:[]CiliumIngressRule"
      " ingressDeny:[]CiliumIngressDenyRule egress:[]CiliumEgressRule"
      " egressDeny:[]CiliumEgressDenyRule labels:any enableDefaultDeny:CiliumDefaultDeny"
      " description log:any" },
    { "CiliumDefaultDeny", "ingress:bool egress:bool" },
    { "CiliumIngressRule",
      "fromEndpoints:[]LabelSelector fromRequires:any fromCIDR:[]str fromCIDRSet:[]CiliumCIDRRule"
      " fromEntities:[]str fromGroups:any fromNodes:[]LabelSelector toPorts:[]CiliumPortRule"
      " icmps:any authentication:any" },
    { "CiliumIngressDenyRule",
      "fromEndpoints:[]LabelSelector fromRequires:any fromCIDR:[]str fromCIDRSet:[]CiliumCIDRRule"
      " fromEntities:[]str fromGroups:any fromNodes:[]LabelSelector toPorts:[]CiliumPortDenyRule"
      " icmps:any" },
    { "CiliumEgressRule",
      "toEndpoints:[]LabelSelector toRequires:any toCIDR:[]str toCIDRSet:[]CiliumCIDRRule"
      " toEntities:[]str toServices:any toGroups:any toNodes:[]LabelSelector toFQDNs:any"
      " toPorts:[]CiliumPortRule icmps:any authentication:any" },
    { "CiliumEgressDenyRule",
      "toEndpoints:[]LabelSelector toRequires:any toCIDR:[]str toCIDRSet:[]CiliumCIDRRule"
      " toEntities:[]str toServices:any toGroups:any toNodes:[]LabelSelector"
      " toPorts:[]CiliumPortDenyRule icmps:any" },
    { "CiliumCIDRRule", "cidr cidrGroupRef cidrGroupSelector:LabelSelector except:[]str" },
    { "CiliumPortRule",
      "ports:[]CiliumPort terminatingTLS:any originatingTLS:any serverNames:[]str listener:any"
      " rules:any" },
    { "CiliumPortDenyRule", "ports:[]CiliumPort" },
    { "CiliumPort", "port endPort:i32 protocol" },
    { "PeerAuthenticationSpec",
      "selector:WorkloadSelector mtls:MutualTLS portLevelMtls:{}MutualTLS" },
    { "WorkloadSelector", "matchLabels:{}str" },
    { "MutualTLS", "mode" },
    { "ObjectMeta",
      "name generateName namespace selfLink uid resourceVersion generation:i64"
      " creationTimestamp:time deletionTimestamp:time deletionGracePeriodSeconds:i64"
      " labels:{}str annotations:{}str ownerReferences:[]OwnerReference finalizers:[]str"
      " managedFields:any" },
    { "NamespaceSpec", "finalizers:[]str" },
    { "PodSpec",
      "volumes:[]Volume initContainers:[]Container containers:[]Container"
      " ephemeralContainers:[]EphemeralContainer restartPolicy"
      " terminationGracePeriodSeconds:i64 activeDeadlineSeconds:i64 dnsPolicy"
      " nodeSelector:{}str serviceAccountName serviceAccount"
      " automountServiceAccountToken:bool nodeName hostNetwork:bool hostPID:bool"
      " hostIPC:bool shareProcessNamespace:bool securityContext:PodSecurityContext"
      " imagePullSecrets:[]LocalObjectReference hostname subdomain affinity:Affinity"
      " schedulerName tolerations:[]Toleration hostAliases:[]HostAlias priorityClassName"
      " priority:i32 dnsConfig:PodDNSConfig readinessGates:[]PodReadinessGate"
      " runtimeClassName enableServiceLinks:bool preemptionPolicy overhead:{}quantity"
      " topologySpreadConstraints:[]TopologySpreadConstraint setHostnameAsFQDN:bool"
      " os:PodOS hostUsers:bool schedulingGates:[]PodSchedulingGate"
      " resourceClaims:[]PodResourceClaim resources:ResourceRequirements hostnameOverride"
      " schedulingGroup:PodSchedulingGroup" },
    { "ServiceSpec",
      "ports:[]ServicePort selector:{}str clusterIP clusterIPs:[]str type externalIPs:[]str"
      " sessionAffinity loadBalancerIP loadBalancerSourceRanges:[]str externalName"
      " externalTrafficPolicy healthCheckNodePort:i32 publishNotReadyAddresses:bool"
      " sessionAffinityConfig:SessionAffinityConfig ipFamilies:[]str ipFamilyPolicy"
      " allocateLoadBalancerNodePorts:bool loadBalancerClass internalTrafficPolicy"
      " trafficDistribution" },
    { "IngressSpec",
      "ingressClassName defaultBackend:IngressBackend tls:[]IngressTLS rules:[]IngressRule" },
    { "IngressClassSpec", "controller parameters:IngressClassParametersReference" },
    { "NetworkPolicySpec",
      "podSelector:LabelSelector ingress:[]NetworkPolicyIngressRule"
      " egress:[]NetworkPolicyEgressRule policyTypes:[]str" },
    { "DeploymentSpec",
      "replicas:i32 selector:LabelSelector template:PodTemplateSpec"
      " strategy:DeploymentStrategy minReadySeconds:i32 revisionHistoryLimit:i32"
      " paused:bool progressDeadlineSeconds:i32" },
    { "StatefulSetSpec",
      "replicas:i32 selector:LabelSelector template:PodTemplateSpec"
      " volumeClaimTemplates:[]PersistentVolumeClaim serviceName podManagementPolicy"
      " updateStrategy:StatefulSetUpdateStrategy revisionHistoryLimit:i32"
      " minReadySeconds:i32"
      " persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy"
      " ordinals:StatefulSetOrdinals" },
    { "DaemonSetSpec",
      "selector:LabelSelector template:PodTemplateSpec"
      " updateStrategy:DaemonSetUpdateStrategy minReadySeconds:i32 revisionHistoryLimit:i32" },
    { "CronJobSpec",
      "schedule timeZone startingDeadlineSeconds:i64 concurrencyPolicy suspend:bool"
      " jobTemplate:JobTemplateSpec successfulJobsHistoryLimit:i32"
      " failedJobsHistoryLimit:i32" },
    { "ReplicaSetSpec",
      "replicas:i32 minReadySeconds:i32 selector:LabelSelector template:PodTemplateSpec" },
    { "ReplicationControllerSpec",
      "replicas:i32 minReadySeconds:i32 selector:{}str template:PodTemplateSpec" },
    { "JobSpec",
      "parallelism:i32 completions:i32 activeDeadlineSeconds:i64"
      " podFailurePolicy:PodFailurePolicy successPolicy:SuccessPolicy backoffLimit:i32"
      " backoffLimitPerIndex:i32 maxFailedIndexes:i32 selector:LabelSelector"
      " manualSelector:bool template:PodTemplateSpec ttlSecondsAfterFinished:i32"
      " completionMode suspend:bool podReplacementPolicy managedBy" },
    { "OwnerReference", "apiVersion kind name uid controller:bool blockOwnerDeletion:bool" },
    { "Volume",
      "name hostPath:HostPathVolumeSource emptyDir:EmptyDirVolumeSource"
      " gcePersistentDisk:GCEPersistentDiskVolumeSource"
      " awsElasticBlockStore:AWSElasticBlockStoreVolumeSource gitRepo:GitRepoVolumeSource"
      " secret:SecretVolumeSource nfs:NFSVolumeSource iscsi:ISCSIVolumeSource"
      " glusterfs:GlusterfsVolumeSource"
      " persistentVolumeClaim:PersistentVolumeClaimVolumeSource rbd:RBDVolumeSource"
      " flexVolume:FlexVolumeSource cinder:CinderVolumeSource cephfs:CephFSVolumeSource"
      " flocker:FlockerVolumeSource downwardAPI:DownwardAPIVolumeSource fc:FCVolumeSource"
      " azureFile:AzureFileVolumeSource configMap:ConfigMapVolumeSource"
      " vsphereVolume:VsphereVirtualDiskVolumeSource quobyte:QuobyteVolumeSource"
      " azureDisk:AzureDiskVolumeSource"
      " photonPersistentDisk:PhotonPersistentDiskVolumeSource"
      " projected:ProjectedVolumeSource portworxVolume:PortworxVolumeSource"
      " scaleIO:ScaleIOVolumeSource storageos:StorageOSVolumeSource csi:CSIVolumeSource"
      " ephemeral:EphemeralVolumeSource image:ImageVolumeSource" },
    { "Container",
      "name image command:[]str args:[]str workingDir ports:[]ContainerPort"
      " envFrom:[]EnvFromSource env:[]EnvVar resources:ResourceRequirements"
      " resizePolicy:[]ContainerResizePolicy restartPolicy"
      " restartPolicyRules:[]ContainerRestartRule volumeMounts:[]VolumeMount"
      " volumeDevices:[]VolumeDevice livenessProbe:Probe readinessProbe:Probe"
      " startupProbe:Probe lifecycle:Lifecycle terminationMessagePath"
      " terminationMessagePolicy imagePullPolicy securityContext:SecurityContext stdin:bool"
      " stdinOnce:bool tty:bool" },
    { "EphemeralContainer",
      "name image command:[]str args:[]str workingDir ports:[]ContainerPort"
      " envFrom:[]EnvFromSource env:[]EnvVar resources:ResourceRequirements"
      " resizePolicy:[]ContainerResizePolicy restartPolicy"
      " restartPolicyRules:[]ContainerRestartRule volumeMounts:[]VolumeMount"
      " volumeDevices:[]VolumeDevice livenessProbe:Probe readinessProbe:Probe"
      " startupProbe:Probe lifecycle:Lifecycle terminationMessagePath"
      " terminationMessagePolicy imagePullPolicy securityContext:SecurityContext stdin:bool"
      " stdinOnce:bool tty:bool targetContainerName" },
    { "PodSecurityContext",
      "seLinuxOptions:SELinuxOptions windowsOptions:WindowsSecurityContextOptions"
      " runAsUser:i64 runAsGroup:i64 runAsNonRoot:bool supplementalGroups:[]i64"
      " supplementalGroupsPolicy fsGroup:i64 sysctls:[]Sysctl fsGroupChangePolicy"
      " seccompProfile:SeccompProfile appArmorProfile:AppArmorProfile seLinuxChangePolicy" },
    { "LocalObjectReference", "name" },
    { "Affinity",
      "nodeAffinity:NodeAffinity podAffinity:PodAffinity podAntiAffinity:PodAntiAffinity" },
    { "Toleration", "key operator value effect tolerationSeconds:i64" },
    { "HostAlias", "ip hostnames:[]str" },
    { "PodDNSConfig", "nameservers:[]str searches:[]str options:[]PodDNSConfigOption" },
    { "PodReadinessGate", "conditionType" },
    { "TopologySpreadConstraint",
      "maxSkew:i32 topologyKey whenUnsatisfiable labelSelector:LabelSelector minDomains:i32"
      " nodeAffinityPolicy nodeTaintsPolicy matchLabelKeys:[]str" },
    { "PodOS", "name" },
    { "PodSchedulingGate", "name" },
    { "PodResourceClaim", "name resourceClaimName resourceClaimTemplateName" },
    { "ResourceRequirements", "limits:{}quantity requests:{}quantity claims:[]ResourceClaim" },
    { "PodSchedulingGroup", "podGroupName" },
    { "ServicePort", "name protocol appProtocol port:i32 targetPort:intstr nodePort:i32" },
    { "SessionAffinityConfig", "clientIP:ClientIPConfig" },
    { "IngressBackend", "service:IngressServiceBackend resource:TypedLocalObjectReference" },
    { "IngressTLS", "hosts:[]str secretName" },
    { "IngressRule", "host http:HTTPIngressRuleValue" },
    { "IngressClassParametersReference", "apiGroup kind name scope namespace" },
    { "LabelSelector", "matchLabels:{}str matchExpressions:[]LabelSelectorRequirement" },
    { "NetworkPolicyIngressRule", "ports:[]NetworkPolicyPort from:[]NetworkPolicyPeer" },
    { "NetworkPolicyEgressRule", "ports:[]NetworkPolicyPort to:[]NetworkPolicyPeer" },
    { "PodTemplateSpec", "metadata:ObjectMeta spec:PodSpec" },
    { "DeploymentStrategy", "type rollingUpdate:RollingUpdateDeployment" },
    { "PersistentVolumeClaim",
      "kind apiVersion metadata:ObjectMeta spec:PersistentVolumeClaimSpec status:any" },
    { "StatefulSetUpdateStrategy", "type rollingUpdate:RollingUpdateStatefulSetStrategy" },
    { "StatefulSetPersistentVolumeClaimRetentionPolicy", "whenDeleted whenScaled" },
    { "StatefulSetOrdinals", "start:i32" },
    { "DaemonSetUpdateStrategy", "type rollingUpdate:RollingUpdateDaemonSet" },
    { "JobTemplateSpec", "metadata:ObjectMeta spec:JobSpec" },
    { "PodFailurePolicy", "rules:[]PodFailurePolicyRule" },
    { "SuccessPolicy", "rules:[]SuccessPolicyRule" },
    { "HostPathVolumeSource", "path type" },
    { "EmptyDirVolumeSource", "medium sizeLimit:quantity" },
    { "GCEPersistentDiskVolumeSource", "pdName fsType partition:i32 readOnly:bool" },
    { "AWSElasticBlockStoreVolumeSource", "volumeID fsType partition:i32 readOnly:bool" },
    { "GitRepoVolumeSource", "repository revision directory" },
    { "SecretVolumeSource", "secretName items:[]KeyToPath defaultMode:i32 optional:bool" },
    { "NFSVolumeSource", "server path readOnly:bool" },
    { "ISCSIVolumeSource",
      "targetPortal iqn lun:i32 iscsiInterface fsType readOnly:bool portals:[]str"
      " chapAuthDiscovery:bool chapAuthSession:bool secretRef:LocalObjectReference"
      " initiatorName" },
    { "GlusterfsVolumeSource", "endpoints path readOnly:bool" },
    { "PersistentVolumeClaimVolumeSource", "claimName readOnly:bool" },
    { "RBDVolumeSource",
      "monitors:[]str image fsType pool user keyring secretRef:LocalObjectReference"
      " readOnly:bool" },
    { "FlexVolumeSource",
      "driver fsType secretRef:LocalObjectReference readOnly:bool options:{}str" },
    { "CinderVolumeSource", "volumeID fsType readOnly:bool secretRef:LocalObjectReference" },
    { "CephFSVolumeSource",
      "monitors:[]str path user secretFile secretRef:LocalObjectReference readOnly:bool" },
    { "FlockerVolumeSource", "datasetName datasetUUID" },
    { "DownwardAPIVolumeSource", "items:[]DownwardAPIVolumeFile defaultMode:i32" },
    { "FCVolumeSource", "targetWWNs:[]str lun:i32 fsType readOnly:bool wwids:[]str" },
    { "AzureFileVolumeSource", "secretName shareName readOnly:bool" },
    { "ConfigMapVolumeSource", "name items:[]KeyToPath defaultMode:i32 optional:bool" },
    { "VsphereVirtualDiskVolumeSource", "volumePath fsType storagePolicyName storagePolicyID" },
    { "QuobyteVolumeSource", "registry volume readOnly:bool user group tenant" },
    { "AzureDiskVolumeSource", "diskName diskURI cachingMode fsType readOnly:bool kind" },
    { "PhotonPersistentDiskVolumeSource", "pdID fsType" },
    { "ProjectedVolumeSource", "sources:[]VolumeProjection defaultMode:i32" },
    { "PortworxVolumeSource", "volumeID fsType readOnly:bool" },
    { "ScaleIOVolumeSource",
      "gateway system secretRef:LocalObjectReference sslEnabled:bool protectionDomain"
      " storagePool storageMode volumeName fsType readOnly:bool" },
    { "StorageOSVolumeSource",
      "volumeName volumeNamespace fsType readOnly:bool secretRef:LocalObjectReference" },
    { "CSIVolumeSource",
      "driver readOnly:bool fsType volumeAttributes:{}str"
      " nodePublishSecretRef:LocalObjectReference" },
    { "EphemeralVolumeSource", "volumeClaimTemplate:PersistentVolumeClaimTemplate" },
    { "ImageVolumeSource", "reference pullPolicy" },
    { "ContainerPort", "name hostPort:i32 containerPort:i32 protocol hostIP" },
    { "EnvFromSource", "prefix configMapRef:ConfigMapEnvSource secretRef:SecretEnvSource" },
    { "EnvVar", "name value valueFrom:EnvVarSource" },
    { "ContainerResizePolicy", "resourceName restartPolicy" },
    { "ContainerRestartRule", "action exitCodes:ContainerRestartRuleOnExitCodes" },
    { "VolumeMount",
      "name readOnly:bool recursiveReadOnly mountPath subPath mountPropagation subPathExpr" },
    { "VolumeDevice", "name devicePath" },
    { "Probe",
      "exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction grpc:GRPCAction"
      " initialDelaySeconds:i32 timeoutSeconds:i32 periodSeconds:i32 successThreshold:i32"
      " failureThreshold:i32 terminationGracePeriodSeconds:i64" },
    { "Lifecycle", "postStart:LifecycleHandler preStop:LifecycleHandler stopSignal" },
    { "SecurityContext",
      "capabilities:Capabilities privileged:bool seLinuxOptions:SELinuxOptions"
      " windowsOptions:WindowsSecurityContextOptions runAsUser:i64 runAsGroup:i64"
      " runAsNonRoot:bool readOnlyRootFilesystem:bool allowPrivilegeEscalation:bool"
      " procMount seccompProfile:SeccompProfile appArmorProfile:AppArmorProfile" },
    { "SELinuxOptions", "user role type level" },
    { "WindowsSecurityContextOptions",
      "gmsaCredentialSpecName gmsaCredentialSpec runAsUserName hostProcess:bool" },
    { "Sysctl", "name value" },
    { "SeccompProfile", "type localhostProfile" },
    { "AppArmorProfile", "type localhostProfile" },
    { "NodeAffinity",
      "requiredDuringSchedulingIgnoredDuringExecution:NodeSelector"
      " preferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm" },
    { "PodAffinity",
      "requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm"
      " preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm" },
    { "PodAntiAffinity",
      "requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm"
      " preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm" },
    { "PodDNSConfigOption", "name value" },
    { "ResourceClaim", "name request" },
    { "ClientIPConfig", "timeoutSeconds:i32" },
    { "IngressServiceBackend", "name port:ServiceBackendPort" },
    { "TypedLocalObjectReference", "apiGroup kind name" },
    { "HTTPIngressRuleValue", "paths:[]HTTPIngressPath" },
    { "LabelSelectorRequirement", "key operator values:[]str" },
    { "NetworkPolicyPort", "protocol port:intstr endPort:i32" },
    { "NetworkPolicyPeer",
      "podSelector:LabelSelector namespaceSelector:LabelSelector ipBlock:IPBlock" },
    { "RollingUpdateDeployment", "maxUnavailable:intstr maxSurge:intstr" },
    { "PersistentVolumeClaimSpec",
      "accessModes:[]str selector:LabelSelector resources:VolumeResourceRequirements"
      " volumeName storageClassName volumeMode dataSource:TypedLocalObjectReference"
      " dataSourceRef:TypedObjectReference volumeAttributesClassName" },
    { "RollingUpdateStatefulSetStrategy", "partition:i32 maxUnavailable:intstr" },
    { "RollingUpdateDaemonSet", "maxUnavailable:intstr maxSurge:intstr" },
    { "PodFailurePolicyRule",
      "action onExitCodes:PodFailurePolicyOnExitCodesRequirement"
      " onPodConditions:[]PodFailurePolicyOnPodConditionsPattern" },
    { "SuccessPolicyRule", "succeededIndexes succeededCount:i32" },
    { "KeyToPath", "key path mode:i32" },
    { "DownwardAPIVolumeFile",
      "path fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector mode:i32" },
    { "VolumeProjection",
      "secret:SecretProjection downwardAPI:DownwardAPIProjection"
      " configMap:ConfigMapProjection serviceAccountToken:ServiceAccountTokenProjection"
      " clusterTrustBundle:ClusterTrustBundleProjection"
      " podCertificate:PodCertificateProjection" },
    { "PersistentVolumeClaimTemplate", "metadata:ObjectMeta spec:PersistentVolumeClaimSpec" },
    { "ConfigMapEnvSource", "name optional:bool" },
    { "SecretEnvSource", "name optional:bool" },
    { "EnvVarSource",
      "fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector"
      " configMapKeyRef:ConfigMapKeySelector secretKeyRef:SecretKeySelector"
      " fileKeyRef:FileKeySelector" },
    { "ContainerRestartRuleOnExitCodes", "operator values:[]i32" },
    { "ExecAction", "command:[]str" },
    { "HTTPGetAction", "path port:intstr host scheme httpHeaders:[]HTTPHeader" },
    { "TCPSocketAction", "port:intstr host" },
    { "GRPCAction", "port:i32 service" },
    { "LifecycleHandler",
      "exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction sleep:SleepAction" },
    { "Capabilities", "add:[]str drop:[]str" },
    { "NodeSelector", "nodeSelectorTerms:[]NodeSelectorTerm" },
    { "PreferredSchedulingTerm", "weight:i32 preference:NodeSelectorTerm" },
    { "PodAffinityTerm",
      "labelSelector:LabelSelector namespaces:[]str topologyKey"
      " namespaceSelector:LabelSelector matchLabelKeys:[]str mismatchLabelKeys:[]str" },
    { "WeightedPodAffinityTerm", "weight:i32 podAffinityTerm:PodAffinityTerm" },
    { "ServiceBackendPort", "name number:i32" },
    { "HTTPIngressPath", "path pathType backend:IngressBackend" },
    { "IPBlock", "cidr except:[]str" },
    { "VolumeResourceRequirements", "limits:{}quantity requests:{}quantity" },
    { "TypedObjectReference", "apiGroup kind name namespace" },
    { "PodFailurePolicyOnExitCodesRequirement", "containerName operator values:[]i32" },
    { "PodFailurePolicyOnPodConditionsPattern", "type status:any" },
    { "ObjectFieldSelector", "apiVersion fieldPath" },
    { "ResourceFieldSelector", "containerName resource divisor:quantity" },
    { "SecretProjection", "name items:[]KeyToPath optional:bool" },
    { "DownwardAPIProjection", "items:[]DownwardAPIVolumeFile" },
    { "ConfigMapProjection", "name items:[]KeyToPath optional:bool" },
    { "ServiceAccountTokenProjection", "audience expirationSeconds:i64 path" },
    { "ClusterTrustBundleProjection",
      "name signerName labelSelector:LabelSelector optional:bool path" },
    { "PodCertificateProjection",
      "signerName keyType maxExpirationSeconds:i32 credentialBundlePath keyPath"
      " certificateChainPath userAnnotations:{}str" },
    { "ConfigMapKeySelector", "name key optional:bool" },
    { "SecretKeySelector", "name key optional:bool" },
    { "FileKeySelector", "volumeName path key optional:bool" },
    { "HTTPHeader", "name value" },
    { "SleepAction", "seconds:i64" },
    { "NodeSelectorTerm",
      "matchExpressions:[]NodeSelectorRequirement matchFields:[]NodeSelectorRequirement" },
    { "NodeSelectorRequirement", "key operator values:[]str" },
    { NULL, NULL },
};
