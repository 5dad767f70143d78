import type { Run } from '../core/run.ts';
import type { KubeObject, Secret } from '../kube/client/objects.ts';
import { verifyEndpoint } from '../ocm/endpoint.ts';
import type { HubAccess } from '../ocm/hub-access.ts';
import { bootstrapKubeconfig, bootstrapSecret, image, klusterlet } from '../ocm/klusterlet-agent.ts';
import { klusterletCrd } from '../ocm/klusterlet-crd.ts';
import {
  agentNamespaceObject,
  operatorNamespaceObject,
  operatorRoles,
  operatorWorkload,
  pullSecret,
} from '../ocm/klusterlet-operator.ts';
import type { JoinOptions } from './join-options.ts';
import { agentSettings, endpointFor } from './join-plan.ts';

/** Replaces the bootstrap token in output; a token is never printed. */
export const tokenPlaceholder = 'BOOTSTRAP_TOKEN';

/**
 * Everything that a join would apply to a WEC, for users who apply it with other tools (GitOps). They supply the bootstrap token
 * and the credentials of a pull secret: the first is a placeholder, the second is empty.
 */
export async function joinManifests(
  access: HubAccess,
  name: string,
  options: JoinOptions,
  run: Run,
): Promise<KubeObject[]> {
  const settings = agentSettings(access, name, undefined, options);
  const endpoint = await endpointFor(access, name, options);
  const unverified = await verifyEndpoint(access.its, endpoint, run);
  if (unverified !== undefined) run.progress.note(unverified);
  const { data: _, ...secret } = bootstrapSecret(endpoint, tokenPlaceholder) as Secret;
  const stringData = { kubeconfig: bootstrapKubeconfig(endpoint, tokenPlaceholder) };
  const readableSecret: KubeObject & { stringData: object } = { ...secret, stringData };
  return [
    ...operatorRoles(settings.tag),
    klusterletCrd(),
    operatorNamespaceObject(),
    pullSecret('{}'),
    ...operatorWorkload(image(settings, 'registration-operator')),
    agentNamespaceObject(),
    readableSecret,
    klusterlet(settings),
  ];
}
