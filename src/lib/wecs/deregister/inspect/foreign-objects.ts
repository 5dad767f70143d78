import { command } from '../../../engine/command-line.ts';
import { failureOf, StellarError } from '../../../engine/errors.ts';
import { run } from '../../../engine/next-step.ts';
import type { Kube } from '../../../kube/client/client.ts';
import { describeCluster } from '../../../kube/client/errors.ts';
import type { KubeObject, OwnerReference } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resources.ts';
import {
  addonNamespace,
  agentNamespace,
  bootstrapSecretName,
  hubSecretName,
  klusterletName,
  operatorName,
  operatorNamespace,
  pullSecretName,
} from '../../../model/ocm-names.ts';
import { createdByKlusterlet, isOurs } from '../../klusterlet/operator.ts';
import { othersIn } from './namespace-contents.ts';
import { operatorRuns } from './running.ts';

const ownAccounts = [operatorName, 'klusterlet-work-sa', 'klusterlet-registration-sa'];
const ownSecrets = [pullSecretName, bootstrapSecretName, hubSecretName];

/**
 * Objects that a registration creates in its namespaces; in the namespace of add-ons also the secrets that the agent writes for
 * them.
 */
function isOfRegistration({ kind, metadata }: KubeObject & { kind: string }): boolean {
  if (createdByKlusterlet({ metadata }) || isOurs({ metadata })) return true;
  if (kind === 'ServiceAccount') return ownAccounts.includes(metadata.name);
  const isOfAddon = metadata.namespace === addonNamespace && metadata.name.endsWith('-hub-kubeconfig');
  return kind === 'Secret' && (ownSecrets.includes(metadata.name) || isOfAddon);
}

/**
 * Objects of others in a namespace of a registration, `Kind name` each.
 * @param hubHash identifies the registration's own AppliedManifestWorks: their names begin with it (ocm pkg/work/helper)
 * @throws StellarError if not all can be seen
 */
export function foreignObjectsIn(wec: Kube, namespace: string, hubHash: string | null): Promise<string[]> {
  const isOwner = ({ kind, name }: OwnerReference) =>
    hubHash !== null && kind === resources.appliedManifestWorks.kind && name.startsWith(`${hubHash}-`);
  return othersIn(wec, namespace, { isExpected: isOfRegistration, isOwner });
}

/** At most five of them. */
export const listed = (objects: readonly string[]): string =>
  `${objects.slice(0, 5).join(', ')}${objects.length > 5 ? ` and ${objects.length - 5} more` : ''}`;

/**
 * Refuses to delete a Klusterlet if its operator would delete objects of others with the namespaces: it deletes them whole (seen
 * with OCM 1.0.0 and 1.3.1). Without the operator stellarctl keeps such a namespace.
 * @throws StellarError `has-dependents`, and others if it cannot be seen
 */
export async function refuseForeignObjects(wec: Kube, hubHash: string | null): Promise<void> {
  if ((await wec.get(resources.klusterlets, klusterletName)) === undefined || !(await operatorRuns(wec))) return;
  for (const namespace of [agentNamespace, addonNamespace]) {
    const present = await wec.get(resources.namespaces, namespace);
    if (present === undefined || present.metadata.deletionTimestamp !== undefined) continue;
    const others = await foreignObjectsIn(wec, namespace, hubHash).catch((error: unknown) => {
      const unread = `The klusterlet operator deletes namespace ${namespace}, and what it holds could not be read. Nothing was written.`;
      throw failureOf(error).with({ details: [unread] });
    });
    if (others.length === 0) continue;
    const { context } = wec.cluster;
    throw new StellarError(
      'has-dependents',
      `Namespace ${namespace} on ${describeCluster(wec.cluster)} holds ${listed(others)}, which the klusterlet operator deletes with the Klusterlet. Nothing was written.`,
      {
        next: [
          run(
            command`kubectl --context ${context} -n ${operatorNamespace} scale deployment ${operatorName} --replicas=0`,
            'Move what is needed elsewhere, or stop the operator, so that the namespace is kept',
          ),
        ],
      },
    );
  }
}
