import type { KubeObject } from '../kube/client/objects.ts';
import { klusterletCrdName } from './ocm-names.ts';

/**
 * The CustomResourceDefinition of Klusterlets, this project's own: it validates nothing and prunes nothing, because the operator
 * that reads the objects may be of any version. (Seen: OCM's operator 1.3.1 works with it if every field is set that would
 * otherwise get a default.) Group, names and subresource are those of ocm's manifests.
 */
export function klusterletCrd(): KubeObject {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const description = 'The agent that registers this cluster with an OCM hub.';
  const openAPIV3Schema = { type: 'object', description, properties: { spec: anything, status: anything } };
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    subresources: { status: {} },
    schema: { openAPIV3Schema },
  };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: klusterletCrdName },
    spec: {
      group: 'operator.open-cluster-management.io',
      names: { kind: 'Klusterlet', listKind: 'KlusterletList', plural: 'klusterlets', singular: 'klusterlet' },
      scope: 'Cluster',
      versions: [version],
    },
  };
  return definition;
}
