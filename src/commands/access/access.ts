import { StellarError } from '../../lib/core/errors.ts';
import { advice, command, run } from '../../lib/core/next-step.ts';
import { readConfirmed } from '../../lib/core/read-confirmed.ts';
import type { BootstrapAccess } from '../../lib/ocm/hub/its-token.ts';
import type { FoundAccess } from '../../lib/spaces/roles/access.ts';
import { confirming } from '../common/confirm.ts';
import type { Definition } from '../common/define.ts';
import { dryRunOption, hostingContextOption, yesOption } from '../common/options.ts';
import type { Session } from '../common/session.ts';

export const list: Definition = {
  description:
    'Lists who has access by a role (its context --role, wds context --role), and until when, in all spaces of the hosting cluster. What expires is not deleted: access revoke does that.',
  examples: [['stellarctl access list', 'in all spaces']],
  options: [hostingContextOption()],
  async run(session) {
    const { findAccess } = await import('../../lib/spaces/roles/access.ts');
    const { found, errors } = await findAccess(await session.spaceTools());
    const items = found.map(({ kube: _, account: __, ...item }) => item);
    await session.print({ items }, items, {
      NAME: ({ name }) => name,
      SPACE: ({ space }) => space,
      ROLE: ({ role }) => role,
      FOR: (item) => item.for ?? '-',
      UNTIL: ({ expires }) => expires ?? '-',
    });
    session.incomplete(errors);
  },
};

type RevokeOptions = { in?: string };

export const revoke: Definition<RevokeOptions> = {
  description:
    'Revokes access that its context --role or wds context --role has given: deletes its service account, with which all of its tokens end, its rights, and what Argo CD has of it. A revoked token may work for some seconds, and certificates that an acceptor has approved are valid until they expire. The name bootstrap stands for the bootstrap tokens of an ITS, which agents register with: agents that have joined do not need them.',
  destroys: true,
  examples: [
    ['stellarctl access revoke its1-anna-viewer', 'what anna may do in its1 as a viewer'],
    [
      'stellarctl access revoke bootstrap --its its1',
      'all bootstrap tokens and join files of its1',
    ],
  ],
  arguments: [['<name>', 'the access, as access list shows it; or bootstrap']],
  options: [
    ['--in <space>', 'the space of the access, if several have one of this name'],
    ['--its <its>', 'with bootstrap: the ITS, by its name or a context'],
    hostingContextOption(),
    yesOption(),
    dryRunOption(),
  ],
  async run(session, { its, in: space }, [name = '']) {
    if (name === 'bootstrap') return revokeTokens(session, its);
    const { findAccess, revokeAccess } = await import('../../lib/spaces/roles/access.ts');
    const { removeFromArgoCd } = await import('../../lib/spaces/space/argocd.ts');
    const tools = await session.spaceTools();
    const access = await readConfirmed<FoundAccess>({
      async read() {
        const { found, errors } = await findAccess(tools);
        const access = onlyAccess(
          found.filter(
            (each) => each.name === name && (space === undefined || each.space === space),
          ),
        );
        if (access !== undefined) return access;
        throw (
          errors[0] ??
          new StellarError(
            'not-found',
            `No access is called ${name}.`,
            run('stellarctl access list', 'See what was given'),
          )
        );
      },
      effects: ({ space, account }) => [{ object: space, uid: account.object?.metadata.uid }],
      confirm: confirming(session, {
        show: ({ role, space, kube, expires }) =>
          session.progress.note(
            `${name} will no longer be ${role} of ${space} (${kube.cluster.server}); its last token expires at ${expires ?? 'no time that is known'}`,
          ),
        confirmations: () => [{ verb: 'Revoke', name, oneWec: true }],
      }),
    });
    await revokeAccess(access, () => removeFromArgoCd(access, tools.hosting));
    session.progress.done(name, 'revoked');
    await session.finish([
      { name, space: access.space, role: access.role, changed: !session.run.dryRun },
    ]);
    const { approvalsLeft, mayApprove } = await import('../../lib/spaces/roles/approvals.ts');
    if (mayApprove(access.role)) session.noteLines(await approvalsLeft(access));
    if (access.role !== 'registrar') return;
    session.progress.note(
      'Bootstrap tokens and join files that it has made register clusters until they expire.',
    );
    session.next(command`stellarctl access revoke bootstrap --its ${access.space}`);
  },
};

/** @throws StellarError `usage` if there are several */
function onlyAccess(named: readonly FoundAccess[]): FoundAccess | undefined {
  if (named.length < 2) return named[0];
  const spaces = named.map(({ space }) => space);
  throw new StellarError(
    'usage',
    `Several spaces have an access of this name: ${spaces.join(', ')}.`,
    advice(`Give one: --in ${spaces.join(', or --in ')}`),
  );
}

/** Ends the bootstrap tokens of an ITS, which nobody can list. */
async function revokeTokens(session: Session, its: string | undefined) {
  const { readBootstrap, revokeBootstrap } = await import('../../lib/ocm/hub/its-token.ts');
  if (its === undefined)
    throw new StellarError('usage', 'Name the ITS whose bootstrap tokens end: --its NAME.');
  const { kube: hub, context } = await session.itsToWrite();
  const read = await readConfirmed<BootstrapAccess>({
    read: () => readBootstrap(hub),
    effects: ({ joining }) => joining.map((wec) => ({ object: 'its token', wec })),
    confirm: confirming(session, {
      show: ({ joining }) =>
        session.noteLines([
          `All bootstrap tokens and join files of ${context.name} end. Joined agents are not affected.`,
          ...joining.map(
            (wec) => `${wec} has not joined yet, and needs a new token: rerun its join`,
          ),
        ]),
      confirmations: () => [{ verb: 'End the tokens of', name: context.name }],
    }),
  });
  await revokeBootstrap(read);
  session.progress.done(context.name, 'its bootstrap tokens are revoked');
  await session.finish([
    { name: context.name, joining: read.joining, changed: !session.run.dryRun },
  ]);
}
