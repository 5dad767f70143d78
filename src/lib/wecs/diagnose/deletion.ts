import { formatAge } from '../../core/deadline.ts';
import { command, noted, type Problem, run } from '../../core/next-step.ts';
import { count } from '../../core/text/words.ts';
import type { Condition, WithConditions } from '../../kube/client/objects.ts';
import { type LostNode, toSeeNode } from '../../kube/lost-nodes.ts';
import { agentLife } from '../../ocm/agent/agent-life.ts';
import { toSeeNamespace } from '../../ocm/hub/refusals.ts';
import {
  foreignFinalizers,
  holdersOf,
  isAddonWork,
  isGuarded,
  isMadeByHand,
  type ManifestWork,
  toSeeHolder,
  workFinalizer,
} from '../../ocm/model/manifest-works.ts';
import type { ManagedCluster } from '../../ocm/model/ocm-objects.ts';
import { toSeeAgent, wecProblem } from '../registration/problems.ts';
import type { WecFindings } from '../registration/registration-checks.ts';
import { isDeregistering } from '../registration/saved-labels.ts';

/** What a deletion waits for: a foreign finalizer, a recreated object or the agent. */
export function beingDeleted(findings: WecFindings): Problem | undefined {
  const cluster = findings.hub?.managedCluster;
  if (cluster?.metadata.deletionTimestamp === undefined) return undefined;
  return (
    heldByOthers(findings, cluster) ??
    heldWorks(findings) ??
    waitingForAgent(findings) ??
    inProgress(findings)
  );
}

/** OCM's own finalizers are of this group, and are removed with their objects. */
const isFinalizerOfOcm = (finalizer: string) => finalizer.includes('open-cluster-management.io/');

function heldByOthers({ name, its }: WecFindings, cluster: ManagedCluster): Problem | undefined {
  const finalizers = foreignFinalizers(cluster, isFinalizerOfOcm);
  if (finalizers.length === 0) return undefined;
  return wecProblem(
    'deletion-blocked',
    `${name} is being deleted, but blocked by finalizer ${finalizers.join(', ')}, which is not OCM's.`,
    toSeeHolder(its, 'managedcluster', cluster),
  );
}

/** Works that somebody has deleted, and that other programs keep for longer than a controller takes. */
export function heldWorks({ contents, name, now, its }: WecFindings): Problem | undefined {
  const ageOf = ({ metadata }: ManifestWork) => now - Date.parse(metadata.deletionTimestamp ?? '');
  const blocked = (contents?.works ?? []).filter(
    (work) => holdersOf(work).length > 0 && ageOf(work) > endingGraceMs,
  );
  const [first] = blocked;
  if (first === undefined) return undefined;
  const age = formatAge(ageOf(first));
  const others =
    blocked.length === 1 ? '' : `, and ${count(blocked.length - 1, 'other work')} in the same way`;
  return wecProblem(
    'work-held',
    `Work ${first.metadata.name} in mailbox ${name} has been in deletion for ${age}, blocked by finalizer ${holdersOf(first).join(', ')}, which is not its agent's${others}.`,
    toSeeHolder(its, 'manifestwork', first),
  );
}

const isWorkHeld = (work: ManifestWork) =>
  work.metadata.deletionTimestamp !== undefined && isGuarded(work);

/** Only a reporting agent removes what works have applied, and their finalizer. */
function waitingForAgent(findings: WecFindings): Problem | undefined {
  const { contents, hub, now, name, its } = findings;
  const blocked = (contents?.works ?? []).filter(isWorkHeld);
  if (blocked.length === 0 || hub === undefined) return undefined;
  const start = `${name} is being deleted, and ${count(blocked.length, 'work')} wait${blocked.length === 1 ? 's' : ''} for its agent to remove what was applied, and the finalizer ${workFinalizer}`;
  const { renews, isMissed, silentFor = 0 } = agentLife({ hub, now });
  if ((renews === 'in-time' || renews === 'unknown') && !isMissed)
    return wecProblem('being-deleted', `${start}.`, toFinish(findings));
  return wecProblem(
    'deletion-waits-for-agent',
    `${start}; it has not reported for ${formatAge(silentFor)}.`,
    toSeeAgent(findings),
    run(
      command`stellarctl deregister ${name} --force --its ${its}`,
      'Or remove it without the agent: what was applied stays',
    ),
  );
}

function inProgress(findings: WecFindings): Problem {
  const { contents, name } = findings;
  const works = contents?.works.length ?? 0;
  const inMailbox =
    works === 0
      ? ''
      : `; ${count(works, 'work')} ${works === 1 ? 'is' : 'are'} still in its mailbox`;
  return wecProblem('being-deleted', `${name} is being deleted${inMailbox}.`, toFinish(findings));
}

/** KubeStellar recreates the works of a cluster for as long as a policy selects it: waiting does not end then. */
function toFinish({ contents, hub, name, its }: WecFindings) {
  const isOfPolicy = (work: ManifestWork) => !isAddonWork(work) && !isMadeByHand(work);
  const cluster = hub?.managedCluster;
  const isSelected =
    cluster !== undefined && !isDeregistering(cluster) && contents?.works.some(isOfPolicy);
  return isSelected
    ? noted(
        command`stellarctl deregister ${name} --its ${its}`,
        'first removes the labels that select it',
      )
    : run(command`stellarctl wec wait ${name} --for delete --its ${its} --timeout 5m`);
}

export function beingDeregistered({
  hub,
  name,
  its,
}: Pick<WecFindings, 'hub' | 'name' | 'its'>): Problem | undefined {
  const cluster = hub?.managedCluster;
  if (cluster === undefined || !isDeregistering(cluster)) return undefined;
  return wecProblem(
    'deregistration-unfinished',
    `The deregistration of ${name} is unfinished; its labels are removed.`,
    noted(
      command`stellarctl deregister ${name} --its ${its}`,
      'finishes it; with --undo the WEC stays',
    ),
  );
}

/** A mailbox may end with its ManagedCluster; if the ManagedCluster stays, nothing can be written into the mailbox. */
export function endingMailbox({ hub, contents, its, now }: WecFindings): Problem | undefined {
  const isLeaving = hub?.managedCluster?.metadata.deletionTimestamp !== undefined;
  return isLeaving ? undefined : namespaceEnding(contents?.namespace, its, now);
}

/** While the pods of a namespace may take this long to end, its deletion is not a problem. */
const endingGraceMs = 30_000;

/** The first namespace of operator and agents that does not end by itself. */
export function endingAgentNamespace({
  wec,
  now,
  ending: namespaces = [],
  lostNodes = [],
}: WecFindings): Problem | undefined {
  const found = namespaces.find((namespace) => {
    const since = Date.parse(namespace.metadata.deletionTimestamp ?? '');
    return (
      blocking(namespace).some(({ type }) => type.endsWith('Failure')) ||
      now - since > endingGraceMs
    );
  });
  return wec && namespaceEnding(found, wec.context, now, lostNodes[0]);
}

/** What keeps a namespace from ending (kubernetes pkg/controller/namespace/deletion). */
const blocking = (namespace: WithConditions | undefined): Condition[] =>
  (namespace?.status?.conditions ?? []).filter(({ status }) => status === 'True');

/** A namespace that is being deleted; nothing can be created in it. */
function namespaceEnding(
  namespace: WithConditions | undefined,
  context: string,
  now: number,
  lost?: LostNode,
): Problem | undefined {
  if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
  const { name, deletionTimestamp } = namespace.metadata;
  const age = formatAge(now - Date.parse(deletionTimestamp));
  const reasons = blocking(namespace);
  const reported = reasons.map(({ message = '' }) => message.replace(/\.$/, '')).join('; ');
  // Its pods end only once their kubelets say so.
  const why = lost === undefined ? reported : `a pod of it cannot end: ${lost.why}`;
  return wecProblem(
    'namespace-terminating',
    `Namespace ${name} of ${context} is being deleted (for ${age}), so nothing can be created in it: ${why || 'what blocks it is not reported yet'}.`,
    lost
      ? toSeeNode(context, lost)
      : reasons.some(({ type }) => type === 'NamespaceDeletionDiscoveryFailure')
        ? run(
            command`kubectl --context ${context} get apiservices`,
            'Repair or delete the API that does not answer',
          )
        : toSeeNamespace(name, context),
  );
}
