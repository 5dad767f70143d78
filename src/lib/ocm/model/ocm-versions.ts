import type { PolicyRule } from '../../kube/client/objects.ts';

/** What a minor version of OCM needs besides what the one before needs. */
interface OcmMinor {
  /** Rights of the operator of a hub. That of a WEC needs no others since 0.15. */
  hubRules?: PolicyRule[];
  /** Fields of ClusterManagers. */
  hubFields?: string[];
  /** Fields of Klusterlets. */
  wecFields?: string[];
}

const ruleOf = (
  apiGroup: string,
  resource: string,
  verbs: string[],
  resourceNames?: string[],
): PolicyRule => ({
  apiGroups: [apiGroup],
  resources: [resource],
  verbs,
  ...(resourceNames && { resourceNames }),
});

const secretVerbs = ['get', 'list', 'watch', 'update', 'patch', 'delete'];

/**
 * The minor versions of OCM that stellarctl upgrades between, oldest first. Source: ocm deploy/cluster-manager/chart and
 * deploy/klusterlet/chart, v0.15.2 to v1.3.1, without the fields for registration over gRPC.
 */
export const ocmMinors: Readonly<Record<string, OcmMinor>> = {
  '0.15': {},
  '0.16': {
    hubRules: [
      ruleOf('', 'serviceaccounts/token', ['get', 'create'], ['agent-registration-bootstrap']),
      ruleOf('cluster.x-k8s.io', 'clusters', ['get', 'list', 'watch']),
    ],
    hubFields: ['registrationConfiguration.registrationDrivers'],
  },
  '1.0': {
    wecFields: [
      'registrationConfiguration.clusterClaimConfiguration',
      'workConfiguration.hubKubeAPIBurst',
      'workConfiguration.hubKubeAPIQPS',
      'workConfiguration.statusSyncInterval',
    ],
  },
  '1.1': {
    hubRules: [
      ruleOf('', 'secrets', secretVerbs, ['grpc-server-serving-cert', 'cluster-import-config']),
      ruleOf('cluster.open-cluster-management.io', 'managedclusters', ['create']),
      ruleOf('cluster.open-cluster-management.io', 'managedclustersets/join', ['create']),
    ],
    hubFields: [
      'deployOption.default',
      'deployOption.hosted.registrationWebhookConfiguration.bindConfiguration',
      'deployOption.hosted.workWebhookConfiguration.bindConfiguration',
      'serverConfiguration',
    ],
    wecFields: ['registrationConfiguration.clusterLabels'],
  },
  '1.2': {
    hubRules: [
      ruleOf('', 'serviceaccounts/token', ['create', 'subscribe']),
      ruleOf('', 'secrets', secretVerbs, [
        'addon-webhook-serving-cert',
        'addon-webhook-sa-kubeconfig',
      ]),
    ],
    hubFields: ['registrationConfiguration.importerConfiguration'],
    wecFields: ['registrationConfiguration.addOnKubeClientRegistrationDriver'],
  },
  '1.3': {
    hubFields: ['deployOption.default.addonWebhookConfiguration', 'placementConfiguration'],
  },
};

/**
 * What `its create` ends with: the hook of KubeStellar 0.30 installs 1.0.0, whose hub gives a WEC the group of another one
 * (CVE-2026-4740). The patch of the same minor changes nothing else that agents, rights or definitions depend on.
 */
export const safeOcm = '1.0.1';

/** The newest version that was tried: what `its upgrade` goes to by default. */
export const newestOcm = '1.3.1';
