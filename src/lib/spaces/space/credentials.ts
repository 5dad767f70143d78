import {
  type Check,
  type Finding,
  fail,
  type Outcome,
  pass,
  runChecks,
  skipped,
  unless,
} from '../../core/checks.ts';
import { command, type NextStep, run } from '../../core/next-step.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { newToken } from '../../kube/client/errors.ts';
import { resources, type Secret, textIn } from '../../kube/client/objects.ts';
import {
  endingProblem,
  tokenExpiry,
  tokenIssue,
  validitiesOf,
} from '../../kube/client/validity.ts';
import { parseHubKubeconfig } from '../../ocm/hub/hub-kubeconfig.ts';
import {
  managerDeployment,
  namespaceOf,
  type SpaceRole,
  secretOf,
  transportDeployment,
} from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import { argoCdChecks } from './argocd.ts';
import { toRestart } from './controllers-run.ts';
import type { SpaceEvidence } from './space-evidence.ts';
import { itsOfWds, typeOf } from './spaces.ts';

/**
 * Checks what of a space ends by itself: of its own client, and the hosting cluster's credentials for an external space or for the
 * external ITS of a WDS.
 * @param inside a client of the space that has read from it @param all control planes
 */
export async function checkCredentials(
  space: SpaceEvidence,
  all: readonly ControlPlane[],
  hosting: Kube,
  inside: Kube | undefined,
  failed: readonly Finding[] = [],
): Promise<Finding[]> {
  const { name, role, type } = space;
  const findings = await runChecks(validityChecks(role), { ...space, kube: inside }, failed);
  if (role === 'wds') findings.push(...(await runChecks(argoCdChecks, { name, hosting }, failed)));
  if (type === 'external')
    findings.push(...(await runChecks(externalChecks(role), { name, hosting }, failed)));
  const its = role === 'wds' ? itsOfWds(name, all) : undefined;
  if (its === undefined || typeOf(its) !== 'external') return findings;
  const subject = { wds: space, its: its.metadata.name, hosting };
  return [...findings, ...(await runChecks(wdsCredentialChecks, subject, failed))];
}

/** A client that has read from a space, and what is known of it from its hosting cluster. */
type Reached = {
  kube: Kube | undefined;
  name: string;
  type?: string | undefined;
  hosting?: string;
};

/** Checks of what a client of a space uses. */
export const validityChecks = (role: SpaceRole): Check<Reached>[] => [
  {
    id: `${role}-validity`,
    title: 'its certificates, and the credentials for it, do not end soon',
    run: ({ kube, ...reached }) =>
      unless(
        kube &&
          endingProblem(reached.name, kube.validities(), kube.now(), renewalsOf(reached, kube)),
      ),
  },
];

/** KubeFlex renews nothing of a space. k3s, of which vclusters consist, renews what ends within 90 days when it starts (docs.k3s.io/cli/certificate). */
function renewalsOf({ name, type, hosting }: Omit<Reached, 'kube'>, { cluster }: Kube): NextStep[] {
  const restart = command`kubectl --context ${hosting ?? ''} -n ${namespaceOf(name)} rollout restart statefulset/vcluster`;
  if (type === 'vcluster') return [run(restart, 'Its k3s renews certificates when it starts')];
  const renewal = cluster.renewal ?? newToken(cluster);
  return renewal === undefined ? [] : [renewal];
}

/** Checks of the Secret with the credentials by which pods of the hosting cluster reach an external space. */
export const externalChecks = (role: SpaceRole): Check<{ name: string; hosting: Kube }>[] => [
  {
    id: `${role}-token`,
    title: "KubeFlex's token for it does not end soon",
    run: (subject) => tokenIsValid(role, subject),
  },
];

/** KubeFlex requests a token for one year, and never renews it while its Secret exists (kubeflex 0.9.3, adopted clusters). */
async function tokenIsValid(
  role: SpaceRole,
  { name, hosting }: { name: string; hosting: Kube },
): Promise<Outcome> {
  const { token = '' } = (await readCredentials(name, hosting)) ?? {};
  if (tokenExpiry(token) === undefined) return skipped('no token with an expiry date is visible');
  const renew = command`stellarctl ${role} renew ${name} --hosting-context ${hosting.cluster.context}`;
  const renewal = run(renew, 'Renew it, and restart what uses it');
  return unless(
    endingProblem(`KubeFlex for ${name}`, validitiesOf({ token }), hosting.now(), [renewal]),
  );
}

/** The kubeconfig that pods of the hosting cluster use for an external space. */
export interface AdoptedCredentials {
  secret: Secret;
  /** Its key in the Secret. */
  key: string;
  text: string;
  token: string | undefined;
}

/** @returns undefined if not found or not allowed */
export async function readCredentials(
  name: string,
  hosting: Kube,
): Promise<AdoptedCredentials | undefined> {
  const { name: secretName, inside: key } = secretOf.external ?? { name: '', inside: '' };
  const secret = await partialReader(hosting).get<Secret>(resources.secrets, secretName, {
    namespace: namespaceOf(name),
  });
  if (secret?.data?.[key] === undefined) return undefined;
  const text = textIn(secret, key);
  return { secret, key, text, token: parseHubKubeconfig(text)?.token };
}

/** Checks of the controllers of a WDS whose ITS is external. */
export const wdsCredentialChecks: readonly Check<{
  wds: SpaceEvidence;
  its: string;
  hosting: Kube;
}>[] = [
  {
    id: 'wds-its-credentials',
    title: 'its controllers have the present credentials of its ITS',
    run: async ({ wds, its, hosting }) => {
      const issued = tokenIssue((await readCredentials(its, hosting))?.token ?? '')?.getTime();
      if (issued === undefined) return skipped(`no token of ${its} with an expiry date is visible`);
      const isOlder = ({ status }: (typeof wds.pods)[number]) =>
        Date.parse(status?.startTime ?? '') < issued;
      const controllers = [managerDeployment, transportDeployment];
      const old = controllers.filter((name) =>
        wds.pods.some((pod) => pod.metadata.name.startsWith(`${name}-`) && isOlder(pod)),
      );
      if (old.length === 0) return pass();
      return fail(
        'its-credentials-outdated',
        `${old.join(' and ')} of ${wds.name} started before the present token of ${its} was issued, and use an earlier one.`,
        run(toRestart(wds.name, hosting.cluster.context), 'Restart them'),
      );
    },
  },
];
