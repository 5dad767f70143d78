import { StellarError } from '../../lib/core/errors.ts';
import { roleWithArticle, type SpaceRole } from '../../lib/ocm/model/kubeflex-names.ts';
import type { Definition } from '../common/define.ts';
import { hostingContextOption } from '../common/options.ts';
import type { Session } from '../common/session.ts';

type Options = { unset?: boolean };

export function definition(role: SpaceRole): Definition<Options> {
  const title = role.toUpperCase();
  const fallback = role === 'its' ? 'the current context' : 'the WDS of the current context';
  return {
    description: `Chooses the ${title} for later commands, after checking that it is one. Without an argument, shows which ${title} is used, and why. The order of precedence is: --${role}, the variable STELLARCTL_${title}, this choice, ${fallback}, the only ${title} of the hosting cluster. It is kept for each hosting cluster.`,
    examples: [
      [`stellarctl ${role} use ${role}1`, `use ${role}1 by default`],
      [`stellarctl ${role} use`, `show which ${title} is used`],
      [`stellarctl ${role} use --unset`, 'clear the choice, and show what is used then'],
    ],
    arguments: [[`[${role}]`, `the ${title}: a context, or its name`]],
    options: [['--unset', 'clear the choice'], hostingContextOption()],
    async run(session, { unset }, [given]) {
      const { chooseSpace } = await import('../../lib/spaces/choose/its-choice.ts');
      if (unset && given !== undefined)
        throw new StellarError('usage', `Give ${roleWithArticle(role)} or --unset, not both.`);
      if (given !== undefined) await requireChoice(session, role, given);
      if (unset || given !== undefined)
        await chooseSpace(role, given, await session.hostingIfAny());
      if (unset) session.progress.note('The choice is cleared.');
      if (unset && role === 'its' && !(await session.itsIfAny())) return;
      const usedSpace = await (role === 'its' ? usedIts(session) : usedWds(session));
      await session.print(usedSpace, [usedSpace], {
        [title]: (row) => row.name,
        SERVER: (row) => row.server,
        'CHOSEN BY': (row) => row.source,
      });
    },
  };
}

async function usedIts(session: Session) {
  const { kube, choice } = await session.its();
  return { name: choice.given, server: kube.cluster.server, source: choice.source };
}

async function usedWds(session: Session) {
  const choice = await session.wdsChoice();
  const { name, kube } = await session.wds();
  return {
    name,
    server: kube.cluster.server,
    source: choice?.source ?? 'current context or only WDS',
  };
}

/** Verifies the space, because later commands write to it. @throws StellarError `not-a-hub`, or why it could not be read */
async function requireChoice(session: Session, role: SpaceRole, name: string) {
  const { requireHub } = await import('../../lib/ocm/hub/require-hub.ts');
  const { serves } = await import('../../lib/kube/served.ts');
  const { resources } = await import('../../lib/kube/client/objects.ts');
  if (role === 'its')
    return requireHub((await session.openIts({ given: name, source: '--its' })).kube);
  const { noPolicies } = await import('../../lib/workloads/delivery/delivery.ts');
  const wds = await session.wds(name);
  if (!(await serves(wds.kube, resources.bindingPolicies))) throw noPolicies(wds);
}
