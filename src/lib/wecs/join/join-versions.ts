import type { Deployment, Pod } from '../../kube/client/objects.ts';
import { imageVersion } from '../../kube/image.ts';
import { isScaledToNone } from '../../kube/pods.ts';
import { type AgentSettings, image } from '../../ocm/agent/klusterlet-agent.ts';
import { isOperatorPod, stuckPodsOf, type WecEvidence } from '../../ocm/agent/wec-evidence.ts';
import { isOurs } from '../../ocm/model/ocm-names.ts';
import type { JoinOptions } from './join-options.ts';

/** What a join does to an existing operator and Klusterlet. */
export interface VersionPlan {
  /** False if the existing operator is kept or another program installed it. */
  installOperator: boolean;
  /** A kept operator that is scaled to zero and must be started. */
  startOperator: Deployment | undefined;
  /** False if the Klusterlet stays as it is. */
  writeKlusterlet: boolean;
  /** What runs, and why it is kept. */
  kept: string[];
  /** What is replaced, with what, and why. */
  replaced: string[];
}

type VersionDecision = { keep: boolean; why: string } | undefined;

/**
 * Decides on the images of an existing operator and Klusterlet: a user may have upgraded or downgraded them since the join. A join
 * keeps them, as `wec upgrade` changes them, unless it was asked for others or theirs cannot be pulled.
 */
export function planVersions(
  { operator, klusterlet, pods }: WecEvidence,
  settings: AgentSettings,
  options: JoinOptions,
): VersionPlan {
  const wanted = image(settings, 'registration-operator');
  const isAsked = options.ocmVersion !== undefined || options.imageRegistry !== undefined;
  const withoutImage = stuckPodsOf(pods).filter(lacksImage);
  const runs = operator?.spec?.template?.spec?.containers?.[0]?.image;
  const isOwn = operator === undefined || isOurs(operator);
  const ofOperator = isOwn
    ? decideVersion(runs, wanted, { isAsked, isStuck: withoutImage.some(isOperatorPod) })
    : undefined;
  const pinned = klusterlet?.spec?.imagePullSpec;
  const isOwnKlusterlet = klusterlet === undefined || isOurs(klusterlet);
  const isStuck = withoutImage.length > 0;
  const ofAgent = isOwnKlusterlet ? decideVersion(pinned, wanted, { isAsked, isStuck }) : undefined;
  const found = [
    { what: 'operator', reference: runs, decision: ofOperator },
    { what: 'agent', reference: pinned, decision: ofAgent },
  ].flatMap(({ what, reference, decision }) =>
    decision === undefined ? [] : [{ ...decision, text: `${what} ${tagOrReference(reference)}` }],
  );
  return {
    installOperator: isOwn && ofOperator?.keep !== true,
    startOperator:
      isOwn && ofOperator?.keep && operator && isScaledToNone(operator) ? operator : undefined,
    writeKlusterlet: isOwnKlusterlet && ofAgent?.keep !== true,
    kept: found.filter(({ keep }) => keep).map(({ text, why }) => `${text} kept: ${why}`),
    replaced: found
      .filter(({ keep }) => !keep)
      .map(({ text, why }) => `${text} replaced by ${tagOrReference(wanted)}: ${why}`),
  };
}

/** @returns undefined if there is none, or it is the right one */
function decideVersion(
  present: string | undefined,
  wanted: string,
  { isAsked, isStuck }: Record<'isAsked' | 'isStuck', boolean>,
): VersionDecision {
  if (present === undefined || present === wanted) return undefined;
  if (isAsked) return { keep: false, why: 'as asked for' };
  if (isStuck) return { keep: false, why: 'its image cannot be pulled' };
  return { keep: true, why: 'wec upgrade changes it' };
}

/** A version that crash-loops may still be the right one; one that cannot be pulled never runs. */
const lacksImage = ({ status }: Pod): boolean =>
  status?.containerStatuses?.some(({ state }) => /Image/.test(state?.waiting?.reason ?? '')) ??
  false;

/** What distinguishes images for display: the version, else the whole reference. */
const tagOrReference = (reference = ''): string => imageVersion(reference) ?? reference;
