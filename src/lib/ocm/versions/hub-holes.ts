import { type Check, fail, type Outcome, pass, skipped, warn } from '../../core/checks.ts';
import { advice, type NextStep } from '../../core/next-step.ts';
import type { Run } from '../../core/run.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { missing, shownList } from '../../kube/client/missing.ts';
import {
  type CertificateSigningRequest,
  namesOf,
  type Pod,
  resources,
} from '../../kube/client/objects.ts';
import { imageVersion } from '../../kube/image.ts';
import { podsOf } from '../../kube/pods.ts';
import { clusterNameLabel, foreignAgent, registrationController } from '../model/ocm-names.ts';
import { defectsOf, describeDefect, fixOf, prefixPairs } from './known-defects.ts';
import { products } from './program-versions.ts';

/** A hub, the pods of its controllers, and the step that upgrades it. */
export interface JudgedHub {
  kube: Kube;
  name: string;
  pods: readonly Pod[];
  upgrade(to: string): NextStep;
}

export const holeChecks: readonly Check<JudgedHub>[] = [
  {
    id: 'its-known-holes',
    title: 'its OCM has no known hole',
    needs: ['its-hub-crds'],
    run: judgeHoles,
  },
  {
    id: 'its-mixed-requests',
    title: 'no agent asks for another WEC',
    needs: ['its-hub-crds'],
    run: judgeRequests,
  },
];

const remains =
  'An upgrade does not end a certificate that was obtained before: see docs/security.md, "A hub with a known hole"';

async function judgeHoles({ kube, name, pods, upgrade }: JudgedHub): Promise<Outcome> {
  const controllers = podsOf(registrationController, pods);
  if (controllers.length === 0) return skipped('its registration controller is not visible');
  const [hole] = controllers.flatMap(({ spec }) =>
    defectsOf(products.ocm, imageVersion(spec?.containers?.[0]?.image)),
  );
  if (hole === undefined) return pass();
  const [pair] = await pairsOn(kube);
  const steps = [upgrade(fixOf(hole) ?? ''), advice(remains)];
  const found = describeDefect(name, hole);
  if (pair === undefined) return warn('known-hole', found, ...steps);
  return fail('known-hole', `${found} ${pairWords(pair)}`, ...steps);
}

type Pair = ReturnType<typeof prefixPairs>[number];

const pairWords = ({ longer, prefix }: Pair) => `${longer} gets the group of ${prefix}.`;

/** The pairs of names of the WECs of a hub. @param names of WECs that are to be */
async function pairsOn(kube: Kube, names: readonly string[] = []): Promise<Pair[]> {
  const present = shownList(
    await partialReader(kube).list(resources.managedClusters, { metadataOnly: true }),
  );
  return prefixPairs([...new Set([...namesOf(present), ...names])]);
}

/** Requests whose requester is the agent of another WEC than the label says: a fixed hub leaves them pending. */
async function judgeRequests({ kube, name, pods }: JudgedHub): Promise<Outcome> {
  const all = await partialReader(kube).list<CertificateSigningRequest>(
    resources.certificateSigningRequests,
    { labelSelector: clusterNameLabel },
  );
  if (all === missing || pods.length === 0)
    return skipped('its requests or its pods are not visible');
  const foreign = all.filter(({ metadata, spec }) =>
    foreignAgent(spec.username, metadata.labels?.[clusterNameLabel]),
  );
  const mixed = foreign.find(({ status }) => status?.certificate) ?? foreign[0];
  if (mixed === undefined) return pass();
  const { metadata, spec, status } = mixed;
  const wec = metadata.labels?.[clusterNameLabel];
  const issued = status?.certificate ? 'has got' : 'asks for';
  const found = `The agent of ${foreignAgent(spec.username, wec)} ${issued} a certificate for ${wec} of ${name} (request ${metadata.name}).`;
  return status?.certificate
    ? fail('mixed-request', found, advice(remains))
    : warn('mixed-request', found);
}

/** Notes that a hub gives one of these WECs the group of another one, or the other way round. */
export async function noteHoles(
  kube: Kube,
  version: string | undefined,
  names: readonly string[],
  run: Run,
) {
  const [hole] = defectsOf(products.ocm, version);
  if (hole === undefined) return;
  const pairs = await pairsOn(kube, names);
  const pair = pairs.find(({ longer, prefix }) => names.includes(longer) || names.includes(prefix));
  if (pair !== undefined)
    run.progress.note(`${describeDefect(kube.cluster.context, hole)} ${pairWords(pair)}`);
}
