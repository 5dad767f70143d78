import { command, run } from '../../core/next-step.ts';
import { met, unseen, type Verdict, waiting } from '../../core/stages.ts';
import { ifSeen, partialReader, tryRead } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { byName, type KubeObject, resources } from '../../kube/client/objects.ts';
import { isCrdServed } from '../../kube/discovery.ts';
import { podsOf } from '../../kube/pods.ts';
import {
  hookNames,
  managerDeployment,
  transportDeployment,
} from '../../ocm/model/kubeflex-names.ts';
import { propertiesNamespace, wdsCrds, workStatusCrd } from '../../ocm/model/kubestellar-names.ts';
import { repair, transportPaused } from './controllers-run.ts';
import { isItsNameDefect } from './its-name-defect.ts';
import {
  checkInside,
  deploymentRuns,
  failedFor,
  ready,
  type Space,
  type SpaceStage,
  serverStages,
  unreadableIn,
} from './space-stages.ts';
import type { SpaceEvidence } from './spaces.ts';

/** The evidence from inside a WDS and its ITS. */
export type WdsInside = Awaited<ReturnType<typeof readWdsInside>>;

/** The ITS of a WDS. */
export type ItsOfWds = Awaited<ReturnType<typeof readItsOfWds>>;

/** The ITS of a WDS, if it is reachable. */
export interface ItsToRead {
  name: string;
  /** Whether KubeFlex reports it as ready; KubeStellar's controllers wait for that. */
  isReady: boolean;
  kube: Kube;
}

export async function readWdsInside(wds: Kube, its: ItsToRead | undefined) {
  const readable = partialReader(wds);
  const [served, ofIts] = await Promise.all([
    Promise.all(wdsCrds.map((crd) => isCrdServed(readable, crd))),
    its === undefined ? undefined : tryRead(() => readItsOfWds(its)),
  ]);
  return {
    /** KubeStellar's kinds that are not served yet. */
    missingCrds: wdsCrds.filter((_, index) => !served[index]),
    // An unreachable ITS hides only its own evidence.
    its: ifSeen(ofIts),
    /** Why the ITS could not be read, if it is known. */
    itsProblem: ofIts?.state === 'hidden' ? ofIts.why : undefined,
    /** Plural names of the kinds that the user may not read there: they appear empty. */
    forbidden: readable.forbidden,
  };
}

async function readItsOfWds({ name, isReady, kube }: ItsToRead) {
  const [workStatusServed, namespace] = await Promise.all([
    isCrdServed(kube, workStatusCrd),
    kube.get<KubeObject>(resources.namespaces, propertiesNamespace),
  ]);
  return { name, isReady, workStatusServed, propertiesNamespace: namespace !== undefined };
}

function crdsServed(inside: WdsInside): Verdict {
  const [missing] = inside.missingCrds;
  if (missing === undefined) return met;
  return (
    unreadableIn(inside, resources.customResourceDefinitions) ??
    waiting(`there is no ${missing} yet`)
  );
}

const ofIts =
  (check: (its: ItsOfWds, hosting: string) => Verdict) =>
  (space: Space<WdsInside>): Verdict =>
    checkInside(({ its, itsProblem }: WdsInside) => {
      if (its !== undefined) return check(its, space.hosting);
      return unseen(itsProblem ?? 'its ITS was not reached');
    })(space);

function itsServesWorkStatus(
  { name, isReady, workStatusServed: served }: ItsOfWds,
  hosting: string,
): Verdict {
  if (served) return met;
  if (!isReady) return waiting(`its ITS ${name} is not ready yet`);
  return failedFor(
    `the ITS ${name} has no ${workStatusCrd}: KubeStellar does nothing without it`,
    run(
      command`stellarctl its get ${name} --hosting-context ${hosting}`,
      'See what its status add-on lacks',
    ),
  );
}

const namespaceMade = ({ name, propertiesNamespace: made }: ItsOfWds): Verdict =>
  made
    ? met
    : waiting(`the transport has not created namespace ${propertiesNamespace} in ${name} yet`);

/** A restart that is not done starts it again. */
function managerRuns(space: SpaceEvidence): Verdict {
  const verdict = deploymentRuns(managerDeployment)(space);
  return verdict.state === 'met' ? verdict : (paused(space) ?? verdict);
}

function transportRuns(space: Space<WdsInside>): Verdict {
  const verdict = deploymentRuns(transportDeployment)(space);
  const itsProblem = ifSeen(space.inside)?.itsProblem;
  // It does not become ready before it has reached the ITS.
  if (verdict.state === 'waiting' && itsProblem !== undefined)
    return waiting(`its ITS does not answer: ${itsProblem}`);
  const transport = byName(space.deployments).get(transportDeployment);
  if (verdict.state === 'met' || !isItsNameDefect(transport)) return verdict;
  return failedFor(
    'the chart gives its transport a name and a selector for the ITS, and it accepts only one (KubeStellar 0.30)',
    repair(space),
  );
}

/** A Deployment that may not be read is not missing. */
const paused = (space: SpaceEvidence): Verdict | undefined =>
  space.forbidden.has(resources.deployments.plural)
    ? undefined
    : transportPaused(
        space.controlPlane,
        byName(space.deployments).get(transportDeployment),
        space.hosting,
      );

/**
 * The stages of a WDS (facts: core chart 0.30): the control plane, its API server, KubeStellar's two controllers, and the objects
 * that they create.
 */
export const wdsStages: readonly SpaceStage<WdsInside>[] = [
  ...serverStages,
  {
    id: hookNames.controller,
    title: "KubeStellar's controller manager runs",
    check: managerRuns,
    podsOf: ({ pods }) => podsOf(managerDeployment, pods),
  },
  { id: 'wds-crds', title: 'serves BindingPolicies', check: checkInside(crdsServed) },
  { id: 'its-workstatus', title: 'ITS serves WorkStatuses', check: ofIts(itsServesWorkStatus) },
  {
    id: hookNames.transport,
    title: "KubeStellar's transport runs",
    check: (space) => paused(space) ?? transportRuns(space),
    podsOf: ({ pods }) => podsOf(transportDeployment, pods),
  },
  {
    id: 'properties-namespace',
    title: 'ITS keeps customization properties',
    check: ofIts(namespaceMade),
  },
  { id: 'ready', title: 'reported ready by KubeFlex', check: ready },
];
