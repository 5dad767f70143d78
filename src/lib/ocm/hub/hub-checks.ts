import { type Check, fail, type Outcome, pass, skipped, warn } from '../../core/checks.ts';
import { ownLimits } from '../../core/deadline.ts';
import { command, run } from '../../core/next-step.ts';
import { errorOf, ifSeen, mayNotRead, partialReader, tryRead } from '../../kube/access.ts';
import type { Kube, Permission } from '../../kube/client/client.ts';
import { missing } from '../../kube/client/missing.ts';
import { type Deployment, isLiving, resources } from '../../kube/client/objects.ts';
import { describePermission, may, missingPermissions } from '../../kube/permissions.ts';
import { isScaledToNone, scaleUp } from '../../kube/pods.ts';
import { listServed } from '../../kube/served.ts';
import { mayAccount, userOf } from '../../kube/service-accounts.ts';
import {
  bootstrapServiceAccount,
  clusterNameLabel,
  hubNamespace,
  operatorNamespace,
} from '../model/ocm-names.ts';
import { clusterUid } from './cluster-uid.ts';
import { readClusterInfo } from './hub-kubeconfig.ts';
import { refuserIn, toSeeRefuser } from './refusals.ts';
import { testAdmission } from './webhook.ts';

/** The rights that an agent uses with its bootstrap token (ocm manifests/cluster-manager/hub, bootstrap ClusterRole). */
const bootstrapPermissions: readonly Permission[] = [
  ...['create', 'get', 'list', 'watch'].map((verb) =>
    may(verb, resources.certificateSigningRequests),
  ),
  ...['create', 'get'].map((verb) => may(verb, resources.managedClusters)),
  {
    verb: 'create',
    group: 'cluster.open-cluster-management.io',
    resource: 'managedclustersets',
    subresource: 'join',
  },
];

/** The checks of a hub besides the stages of its setup. */
export const hubChecks: readonly Check<Kube>[] = [
  {
    id: 'its-bootstrap-rights',
    title: 'agents may ask to be registered',
    needs: ['its-hub-crds', 'its-bootstrap-account'],
    run: mayRegister,
  },
  {
    id: 'its-controllers',
    title: 'the controllers of the hub work',
    needs: ['its-hub-runs', 'its-hub-crds'],
    run: controllersWork,
  },
  {
    id: 'its-published-address',
    title: 'the address that it publishes leads to it',
    needs: ['its-hub-crds'],
    run: publishesItself,
  },
  {
    id: 'its-admits-works',
    title: 'its mailboxes admit works',
    needs: ['its-hub-crds'],
    run: admitsWorks,
  },
];

async function mayRegister(hub: Kube): Promise<Outcome> {
  const review = may('create', resources.subjectAccessReviews);
  if (!(await hub.mayI(review))) return skipped(`you may not ${describePermission(review)}`);
  const account = { namespace: operatorNamespace, name: bootstrapServiceAccount };
  const asAccount = { mayI: (each: Permission) => mayAccount(hub, account, each) };
  const lacking = await missingPermissions(asAccount, bootstrapPermissions);
  if (lacking.length === 0) return pass();
  return fail(
    'bootstrap-rights-missing',
    `Agents may not ${lacking.join(', ')} with a bootstrap token.`,
    run(
      command`kubectl --context ${hub.cluster.context} auth can-i --list --as ${userOf(account)}`,
      "See their rights; OCM's cluster manager writes them",
    ),
  );
}

async function controllersWork(hub: Kube): Promise<Outcome> {
  const reader = partialReader(hub);
  const namespace = hubNamespace;
  const deployments = await reader.list<Deployment>(resources.deployments, { namespace });
  if (deployments === missing)
    return skipped(
      reader.forbidden.size > 0 ? mayNotRead(reader.forbidden) : 'its Deployments are not served',
    );
  const stopped = deployments.find(isScaledToNone);
  if (stopped !== undefined) {
    const { name } = stopped.metadata;
    return fail(
      'controller-stopped',
      `Deployment ${namespace}/${name} is scaled to zero.`,
      run(scaleUp(hub.cluster.context, namespace, 'deployment', name), 'Start it'),
    );
  }
  return pass();
}

/** Agents use that address, and some installers write the address of another cluster there (clusteradm init --context). */
async function publishesItself(hub: Kube): Promise<Outcome> {
  const at = await readClusterInfo(partialReader(hub));
  if (at === undefined) return skipped('it publishes no address that can be read');
  const uidThere = async () => {
    const there = hub.fork({ at, run: ownLimits(5000) });
    return clusterUid(there).finally(() => there.close());
  };
  const [own, found] = await Promise.all([clusterUid(hub), tryRead(uidThere)]);
  const isRefused = ['unauthorized', 'tls-error'].includes(errorOf(found)?.code ?? '');
  if (own === undefined || (!isRefused && ifSeen(found) === undefined))
    return skipped(`${at.server} cannot be compared with it from here`);
  if (ifSeen(found) === own) return pass();
  const { context } = hub.cluster;
  return fail(
    'published-address-wrong',
    `${context} publishes ${at.server} in kube-public/cluster-info, and that is not its API server.`,
    run(
      command`kubectl --context ${context} -n kube-public edit configmap cluster-info`,
      'Write its own address there',
    ),
  );
}

/** Tries the admission of ManifestWorks with one that is not stored (`dryRun=All`), in the mailbox of a WEC. */
async function admitsWorks(hub: Kube): Promise<Outcome> {
  const review = may('create', resources.manifestWorks);
  if (!(await hub.mayI(review))) return skipped(`you may not ${describePermission(review)}`);
  const namespaces = await listServed(hub, resources.namespaces, {
    metadataOnly: true,
    labelSelector: clusterNameLabel,
  });
  const trial = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'stellarctl-try', namespace: 'default' },
  };
  for (const { metadata } of namespaces.filter(isLiving)) {
    const { name } = metadata;
    const work = { namespace: name, spec: { workload: { manifests: [trial] } } };
    const refusal = await testAdmission(hub, resources.manifestWorks, work);
    if (refusal === undefined) return pass();
    // Its WEC may have been deleted meanwhile.
    const now = await hub.get(resources.namespaces, name);
    if (now && isLiving(now)) return refused(refusal.words, name, hub.cluster.context);
  }
  return pass('it has no mailbox');
}

/** @param words of the API server about a work that was tried */
function refused(words: string, mailbox: string, context: string): Outcome {
  if (words.includes('does not support dry run')) return skipped(words);
  const refuser = refuserIn(words);
  const isDenied = words.includes('denied');
  // OCM's own rules are about the content of a work.
  if (isDenied && refuser?.webhook?.endsWith('.open-cluster-management.io')) return pass();
  const see = command`kubectl --context ${context} describe namespace ${mailbox}`;
  const step =
    refuser === undefined
      ? run(see, 'See its quotas and conditions')
      : toSeeRefuser(refuser, context);
  const found = `Mailbox ${mailbox} of ${context} does not admit a work: ${words}.`;
  // Another work may be admitted.
  return isDenied
    ? warn('works-not-admitted', found, step)
    : fail('works-not-admitted', found, step);
}
