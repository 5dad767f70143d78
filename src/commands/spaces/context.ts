import { Option } from 'commander';
import { command, textOf } from '../../lib/core/next-step.ts';
import { checkDnsName } from '../../lib/core/object-names.ts';
import type { SpaceRole } from '../../lib/ocm/model/kubeflex-names.ts';
import type { AccessRequest } from '../../lib/spaces/roles/access.ts';
import { type AccessRole, type RoleName, roles, rolesOf } from '../../lib/spaces/roles/roles.ts';
import type { WrittenContext } from '../../lib/spaces/write-context.ts';
import type { Definition } from '../common/define.ts';
import {
  dryRunOption,
  durationMs,
  hostingContextOption,
  listOption,
  refuseWithout,
} from '../common/options.ts';
import type { Session } from '../common/session.ts';

interface Options {
  role?: RoleName | 'admin';
  for?: string;
  duration?: number;
  resources?: string[];
  argocd?: string;
  export?: string;
  printManifests?: true;
  use?: true;
}

/** `its context` and `wds context`. */
export function definition(role: SpaceRole): Definition<Options> {
  const noun = role.toUpperCase();
  const own = rolesOf(role);
  const words = own.map((name) => `${roles[name].may} (${name})`).join('; ');
  return {
    description: `Writes the context of the ${noun} into the kubeconfig. A context of that name that leads to another cluster is not replaced, and the current context stays, unless --use is given. With --role, writes a kubeconfig for somebody else, with a token that ends or is revoked (access revoke). Roles may: ${words}.`,
    examples: [
      [command`stellarctl ${role} context ${role}1`, `write the context ${role}1`],
      [
        command`stellarctl ${role} context ${role}1 --role ${own.at(-1) ?? ''} --for anna`,
        'write a kubeconfig for a colleague, with that role only',
      ],
    ],
    arguments: [['<name>', `the name of the ${noun}`]],
    options: contextOptions(role, own),
    rare: ['--resources', '--print-manifests'],
    async run(session, options, [name = '']) {
      const { role: chosen, export: exportTo, use, resources, argocd } = options;
      refuseWithout(
        `--role ${own.join('|')}|admin`,
        chosen === undefined ? { '--export': exportTo } : {},
      );
      refuseWithout(`--role ${own.join('|')}`, isOwn(chosen) ? {} : ofRoles(options));
      refuseWithout(
        '--role deployer',
        chosen === 'deployer' ? {} : { '--resources': resources, '--argocd': argocd },
      );
      if (isOwn(chosen)) return giveRole(session, { name, role }, chosen, options);
      const { writeContext } = await import('../../lib/spaces/write-context.ts');
      const tools = await session.spaceTools();
      const written = await writeContext(
        { name, role, exportTo, makeCurrent: use },
        tools,
        session.run,
      );
      await say(session, written, ['get', 'namespaces'], exportTo !== undefined);
    },
  };
}

const isOwn = (role: Options['role']): role is RoleName => role !== undefined && role !== 'admin';

const contextOptions = (role: SpaceRole, own: readonly RoleName[]) => [
  new Option('--role <role>', "whose context it is; admin: KubeFlex's own").choices([
    ...own,
    'admin',
  ]),
  new Option('--for <who>', 'with --role: whom it is for'),
  new Option(
    '--duration <duration>',
    'with --role: how long its token is valid (default: 720h)',
  ).argParser(durationMs),
  ...(role === 'wds'
    ? [
        listOption('--resources <kinds>', 'with --role deployer: only these kinds of workloads'),
        new Option(
          '--argocd [namespace]',
          'with --role deployer: give it to Argo CD, in its namespace',
        ).preset('argocd'),
      ]
    : []),
  new Option(
    '--export <file>',
    'with --role: the kubeconfig to write, which only you can read (default: NAME-ROLE.kubeconfig)',
  ),
  new Option(
    '--print-manifests',
    'with --role: print the service account and its rights as YAML, and write nothing',
  ),
  new Option('--use', 'make it the current context').conflicts('role'),
  hostingContextOption(),
  dryRunOption(),
];

/** The options that mean something only for a role. */
const ofRoles = ({ for: who, duration, printManifests }: Options) => ({
  '--for': who,
  '--duration': duration,
  '--print-manifests': printManifests,
});

async function giveRole(
  session: Session,
  space: AccessRequest['space'],
  role: RoleName,
  options: Options,
) {
  const {
    for: who,
    resources,
    printManifests,
    argocd,
    duration = (argocd ? 365 : 30) * 86_400_000,
  } = options;
  const { accessManifests, accessName } = await import('../../lib/spaces/roles/access.ts');
  const { reachToShare, shareAccess } = await import('../../lib/spaces/write-context.ts');
  const { checkTokenRequest } = await import('../../lib/ocm/hub/its-token.ts');
  if (who !== undefined) checkDnsName(who, 'an access');
  checkTokenRequest(duration);
  const tools = await session.spaceTools();
  const request = { space, role, who, kinds: resources };
  if (printManifests) {
    const { context } = await reachToShare(space.name, space.role, tools);
    for (const object of await accessManifests(request, tools.connect(context)))
      await session.printDocument(object, { format: 'yaml', isOneOfMany: true });
    return;
  }
  const access = accessName(request);
  const asked = {
    ...request,
    seconds: Math.floor(duration / 1000),
    exportTo: options.export ?? `${access}.kubeconfig`,
    argocd,
  };
  const { grown, ...written } = await shareAccess(asked, tools, session.run);
  const { may, note }: AccessRole = roles[role];
  const isTrial = session.run.dryRun;
  if (!isTrial)
    session.noteLines([
      `${access} may ${may}, until ${written.expires}.`,
      ...(grown.length === 0 ? [] : [`Its former tokens may now also write ${grown.join(', ')}.`]),
      ...(note ? [note] : []),
    ]);
  if ('file' in written) return say(session, written, ['auth', 'can-i', '--list'], true);
  if (!isTrial) session.progress.done(space.name, `Argo CD knows it by Secret ${written.secret}`);
  await session.finish([{ ...written, changed: !isTrial }]);
}

/** Says where a context was written, and how to use it. @param words of kubectl */
async function say(
  session: Session,
  { changed, ...written }: WrittenContext,
  words: readonly string[],
  isExport: boolean,
) {
  const isTrial = session.run.dryRun === true;
  const { name, context, file } = written;
  const verb =
    !isExport && (await session.kubeconfig()).contexts.has(context) ? 'update' : 'create';
  if (isTrial && changed)
    session.record({ verb, cluster: 'the kubeconfig', kind: 'context', name: context });
  else if (changed) session.progress.done(name, `context ${context} written to ${file}`);
  else session.progress.done(name, `context ${context} in ${file} is up to date; nothing to do`);
  await session.finish([{ ...written, changed: changed && !isTrial }]);
  const from = isExport ? ['--kubeconfig', file] : [];
  const { kubectlOn } = await import('../../lib/spaces/install/entrance-checks.ts');
  session.next(textOf(await kubectlOn(written, [...from, ...words])));
}
