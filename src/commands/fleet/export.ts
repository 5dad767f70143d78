import { Option } from 'commander';
import { Deadline } from '../../lib/core/deadline.ts';
import { checkDnsLabel } from '../../lib/core/object-names.ts';
import { ifSeen, tryRead } from '../../lib/kube/access.ts';
import type { Definition } from '../common/define.ts';
import { itsOption, wecKubeconfigOption } from '../common/options.ts';
import type { Session } from '../common/session.ts';

interface Options {
  name?: string;
  from?: 'argocd' | 'karmada' | 'kubeconfig';
  fromContext?: string;
  fromNamespace: string;
  match?: string;
}

/** How long a context may take to answer, in milliseconds. */
const contextTimeoutMs = 10_000;

export const definition: Definition<Options> = {
  description:
    'Prints the WECs of the ITS as a file for `fleet apply`: their labels, annotations and properties, and for each that a context is proven to lead to, that context and how its agent was joined. It only reads. A second export prints the same. With --from, describes the clusters of Argo CD, Karmada or a kubeconfig instead, so that they can be joined.',
  timeout: '2m',
  formats: ['yaml', 'json'],
  examples: [
    [
      'stellarctl fleet export > fleet.yaml',
      'the WECs of the ITS, with the contexts of the kubeconfig',
    ],
    [
      'stellarctl fleet export --from kubeconfig --match "prod-*" --name prod',
      'the clusters of some contexts',
    ],
    [
      'stellarctl fleet export --from argocd --from-context mgmt',
      'the clusters that an Argo CD knows',
    ],
  ],
  options: [
    itsOption(),
    ['--name <name>', 'the name of the fleet (default: that of the ITS, or of --from)'],
    wecKubeconfigOption(),
    new Option('--from <source>', 'describe clusters that are not registered yet').choices([
      'argocd',
      'karmada',
      'kubeconfig',
    ]),
    [
      '--from-context <context>',
      'with --from: where Argo CD or Karmada runs (default: the current context)',
    ],
    new Option('--from-namespace <namespace>', 'with --from argocd: its namespace').default(
      'argocd',
    ),
    ['--match <pattern>', 'only contexts whose names match, as prod-*'],
  ],
  async run(session, options) {
    const { from, match } = options;
    const name = options.name ?? from ?? (await session.its()).context.name;
    checkDnsLabel(name, 'a fleet');
    const { contexts } = await session.wecKubeconfig();
    const names = [...contexts.keys()].filter(
      (each) => match === undefined || patternOf(match).test(each),
    );
    const { exportFleet, withNameNotes } = await import('../../lib/fleet/export.ts');
    const { wecKubeconfig } = session.options;
    const { wecs, comments } = withNameNotes(
      await (from === undefined
        ? exportFleet(await session.its(), await candidatesOf(session, names), wecKubeconfig)
        : importFrom(session, names, from, options)),
    );
    const document = {
      apiVersion: 'stellarctl.kubestellar.io/v1alpha1',
      kind: 'Fleet',
      metadata: { name },
      wecs,
    };
    if (session.output !== 'json')
      session.printLines([
        '# yaml-language-server: $schema=fleet.schema.json',
        '# The schema: stellarctl fleet schema > fleet.schema.json',
        ...comments.map((comment) => `# ${comment}`),
      ]);
    await session.printDocument(document);
  },
};

/** A shell's pattern with `*`. */
function patternOf(glob: string): RegExp {
  const parts = glob.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}

async function importFrom(
  session: Session,
  names: readonly string[],
  from: NonNullable<Options['from']>,
  { fromContext, fromNamespace }: Options,
) {
  const { importArgoCd, importKarmada, importKubeconfig } = await import(
    '../../lib/fleet/import-argocd.ts'
  );
  if (from === 'kubeconfig') return importKubeconfig(await candidatesOf(session, names));
  const { selectContext } = await import('../../lib/kube/kubeconfig/kubeconfig.ts');
  const { noneGiven } = await import('../../lib/kube/kubeconfig/entries.ts');
  const kubeconfig = await session.kubeconfig();
  const given = fromContext ?? kubeconfig.currentContext;
  if (given === undefined) throw noneGiven('No context', '--from-context', kubeconfig);
  const source = session.connect(selectContext(kubeconfig, given));
  if (from === 'karmada') return importKarmada(source, await candidatesOf(session, names));
  return importArgoCd(source, fromNamespace, await readContexts(session, names));
}

/** The contexts that can be read. */
async function readContexts(session: Session, names: readonly string[]) {
  const read = await Promise.all(names.map((name) => tryRead(() => session.contextOf(name))));
  return read.flatMap((each) => ifSeen(each) ?? []);
}

async function candidatesOf(session: Session, names: readonly string[]) {
  const deadline = new Deadline(contextTimeoutMs);
  const contexts = await readContexts(session, names);
  return contexts.map((context) => ({
    name: context.name,
    kube: session.connect(context, { deadline }),
  }));
}
