import { type Check, fail, type Outcome, pass, skipped, unless } from '../../core/checks.ts';
import { command, run } from '../../core/next-step.ts';
import { partialReader } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { newToken } from '../../kube/client/errors.ts';
import { resources, type Secret, textIn } from '../../kube/client/objects.ts';
import { claimsOf, endingProblem, validitiesOf } from '../../kube/client/validity.ts';
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
import { itsOfWds, type SpaceEvidence, typeOf } from './spaces.ts';

/** A space, with all control planes of its hosting cluster. */
export interface SpaceAmong {
  space: SpaceEvidence;
  all: readonly ControlPlane[];
  hosting: Kube;
  /** A client of the space that has read from it. */
  kube: Kube | undefined;
}

/**
 * The checks of what of a space ends by itself: of its own client, and the hosting cluster's credentials for an external space or for
 * the external ITS of a WDS.
 */
export function credentialChecks({
  space: { name, role, type },
  all,
}: Pick<SpaceAmong, 'space' | 'all'>): Check<SpaceAmong>[] {
  const its = role === 'wds' ? itsOfWds(name, all) : undefined;
  return [
    ...validityChecks(role),
    ...(role === 'wds' ? argoCdChecks : []),
    ...(type === 'external' ? externalChecks(role) : []),
    ...(its && typeOf(its) === 'external' ? wdsCredentialChecks : []),
  ];
}

/** A client that has read from a space, and what is known of it from its hosting cluster. */
type Reached = Pick<SpaceAmong, 'kube'> & {
  space: { name: string; type?: string | undefined; hosting?: string };
};

/** Checks of what a client of a space uses. */
export const validityChecks = (role: SpaceRole): Check<Reached>[] => [
  {
    id: `${role}-validity`,
    title: 'its certificates, and the credentials for it, do not end soon',
    run: ({ kube, space }) =>
      unless(
        kube && endingProblem(space.name, kube.validities(), kube.now(), renewalsOf(space, kube)),
      ),
  },
];

/** KubeFlex renews nothing of a space. k3s, of which vclusters consist, renews what ends within 90 days when it starts (docs.k3s.io/cli/certificate). */
function renewalsOf({ name, type, hosting }: Reached['space'], { cluster }: Kube) {
  const restart = command`kubectl --context ${hosting ?? ''} -n ${namespaceOf(name)} rollout restart statefulset/vcluster`;
  if (type === 'vcluster') return [run(restart, 'Its k3s renews certificates when it starts')];
  const renewal = cluster.renewal ?? newToken(cluster);
  return renewal === undefined ? [] : [renewal];
}

/** Checks of the Secret with the credentials by which pods of the hosting cluster reach an external space. */
export const externalChecks = (role: SpaceRole): Check<SpaceAmong>[] => [
  { id: `${role}-token`, title: "KubeFlex's token for it does not end soon", run: tokenIsValid },
];

/** KubeFlex requests a token for one year, and never renews it while its Secret exists (kubeflex 0.9.3, adopted clusters). */
async function tokenIsValid({ space: { name, role }, hosting }: SpaceAmong): Promise<Outcome> {
  const { token } = (await readCredentials(name, hosting)) ?? {};
  if (claimsOf(token).expires === undefined)
    return skipped('no token with an expiry date is visible');
  const renew = command`stellarctl ${role} renew ${name} --hosting-context ${hosting.cluster.context}`;
  const renewal = run(renew, 'Renew it, and restart what uses it');
  return unless(
    endingProblem(`KubeFlex for ${name}`, validitiesOf({ token }), hosting.now(), [renewal]),
  );
}

/** The kubeconfig that pods of the hosting cluster use for an external space, and its key in their Secret. */
export type AdoptedCredentials = NonNullable<Awaited<ReturnType<typeof readCredentials>>>;

/** @returns undefined if not found or not allowed */
export async function readCredentials(name: string, hosting: Kube) {
  const { name: secretName, inside: key } = secretOf.external ?? { name: '', inside: '' };
  const secret = await partialReader(hosting).get<Secret>(resources.secrets, secretName, {
    namespace: namespaceOf(name),
  });
  if (secret?.data?.[key] === undefined) return undefined;
  const text = textIn(secret, key);
  return { secret, key, text, token: parseHubKubeconfig(text)?.token };
}

/** Checks of the controllers of a WDS whose ITS is external. */
export const wdsCredentialChecks: readonly Check<SpaceAmong>[] = [
  {
    id: 'wds-its-credentials',
    title: 'its controllers have the present credentials of its ITS',
    run: async ({ space: wds, all, hosting }) => {
      const its = itsOfWds(wds.name, all)?.metadata.name ?? '';
      const { issued } = claimsOf((await readCredentials(its, hosting))?.token);
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
