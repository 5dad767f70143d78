import { Option } from 'commander';
import { command, flagsOf, noted, textOf } from '../../lib/core/next-step.ts';
import { checkDnsName } from '../../lib/core/object-names.ts';
import type { Wds } from '../../lib/spaces/choose/open-wds.ts';
import type { TransformView } from '../../lib/workloads/delivery/transforms.ts';
import type { ObjectResult } from '../../lib/workloads/selection/create-object.ts';
import type { Definition } from '../common/define.ts';
import { section } from '../common/lines.ts';
import { dryRunOption, repeatable, wdsOptions, yesOption } from '../common/options.ts';
import type { Session } from '../common/session.ts';

export const list: Definition = {
  description:
    'Lists the CustomTransforms of a WDS: which fields each removes from the objects of which kind, and what is wrong with it.',
  examples: [['stellarctl transform list', 'the transforms of the default WDS']],
  options: wdsOptions(),
  async run(session) {
    const { listTransforms } = await import('../../lib/workloads/delivery/transforms.ts');
    const wds = await session.wds();
    const items = await listTransforms(wds);
    await session.print({ wds: wds.name, items }, items, {
      NAME: ({ name }) => name,
      KIND: ({ resource, group }) => (group === '' ? resource : `${resource}.${group}`),
      REMOVES: ({ remove }) => remove.join(','),
      STATE: ({ errors, warnings }) => [...errors, ...warnings][0] ?? 'ok',
    });
    const create = ['transform', 'create', 'NAME', '--select', 'KIND', '--remove', 'PATH'];
    if (items.length === 0) session.noneInWds(wds, 'transforms', create);
  },
};

export const get: Definition = {
  description:
    'Shows which fields a CustomTransform removes, and what KubeStellar cannot read in it.',
  examples: [['stellarctl transform get no-replicas', 'the fields that it removes']],
  arguments: [['<name>', 'the transform']],
  options: wdsOptions(),
  async run(session, _options, [name = '']) {
    checkDnsName(name, 'a custom transform');
    const { getTransform } = await import('../../lib/workloads/delivery/transforms.ts');
    const view = await getTransform(await session.wds(), name);
    await session.show(view, () => describeTransform(view));
  },
};

type TransformOptions = { select: string; remove: string[] };

export const create: Definition<TransformOptions> = {
  description:
    'Creates a CustomTransform, which removes fields from all objects of a kind before they are sent to WECs. Existing works do not change until `policy refresh`.',
  examples: [
    [
      "stellarctl transform create scaled --select deploy --remove '$.spec.replicas'",
      'let each WEC set its own replicas',
    ],
  ],
  arguments: [['<name>', 'the name of the transform']],
  options: [
    new Option('--select <kind>', 'the kind, as KIND or KIND.GROUP').makeOptionMandatory(),
    repeatable(
      '--remove <path>',
      'a field, as $.spec.replicas or $.metadata.labels["any name"]',
    ).makeOptionMandatory(),
    ...wdsOptions(),
    dryRunOption(),
  ],
  async run(session, { select, remove }, [name = '']) {
    checkDnsName(name, 'a custom transform');
    const { transformSpec } = await import('../../lib/workloads/delivery/transforms.ts');
    const { createReported } = await import('../../lib/workloads/selection/create-object.ts');
    const wds = await session.wds();
    const spec = await transformSpec(select, remove, wds);
    session.announce(wds.kube, 'WDS');
    const result = await createReported('transform', { name, spec }, wds, session.run);
    await session.finish([result]);
    nextRefresh(session, result, wds);
  },
};

export const remove: Definition = {
  description:
    'Deletes a CustomTransform. Existing works stay without the removed fields until `policy refresh`.',
  destroys: true,
  examples: [['stellarctl transform delete no-replicas', 'then run policy refresh']],
  arguments: [['<name>', 'the transform']],
  options: [
    yesOption('for scripts that give it to every deletion: nothing is asked'),
    ...wdsOptions(),
    dryRunOption(),
  ],
  async run(session, _options, [name = '']) {
    checkDnsName(name, 'a custom transform');
    const { deleteTransform } = await import('../../lib/workloads/delivery/transforms.ts');
    const wds = await session.wdsToWrite();
    const result = await deleteTransform(name, wds, session.run);
    await session.finish([result]);
    nextRefresh(session, result, wds);
  },
};

function describeTransform({ name, group, resource, remove, errors, warnings }: TransformView) {
  return [
    `CustomTransform ${name} of ${group === '' ? resource : `${resource}.${group}`}`,
    ...section('removes', remove),
    ...section('errors', errors),
    ...section('warnings', warnings),
  ];
}

/** KubeStellar does not rewrite works when a transform changes. */
function nextRefresh(session: Session, { changed }: ObjectResult, wds: Wds) {
  if (!changed) return;
  const refresh = command`stellarctl policy refresh NAME ${flagsOf(wds)}`;
  session.next(
    textOf(
      noted(
        refresh,
        'for each policy that sends the kind: existing works do not change until then',
      ),
    ),
  );
}
