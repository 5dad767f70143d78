import { Option } from 'commander';
import { command, flagsOf, noted, textOf } from '../../lib/core/next-step.ts';
import { checkDnsName } from '../../lib/core/object-names.ts';
import { few } from '../../lib/core/text/words.ts';
import type { TransformChange } from '../../lib/forecast/change.ts';
import type { Forecast } from '../../lib/forecast/forecast.ts';
import type { Wds } from '../../lib/spaces/choose/open-wds.ts';
import type { TransformView } from '../../lib/workloads/delivery/transforms.ts';
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
    const { view } = await getTransform(await session.wds(), name);
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
    const of = { name, group: spec.apiGroup, resource: spec.resource };
    let seen: Forecast | undefined;
    const read = async () => (seen = await foresee(session, of, wds));
    const result = await createReported('transform', { name, spec }, wds, read, session.run);
    await session.finish([result]);
    if (result.changed && seen !== undefined) nextRefresh(session, seen, wds);
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
    const { deleteReported } = await import('../../lib/workloads/selection/create-object.ts');
    const { getTransform } = await import('../../lib/workloads/delivery/transforms.ts');
    const wds = await session.wdsToWrite();
    const { transform, view } = await getTransform(wds, name);
    const seen = await foresee(session, view, wds);
    const result = await deleteReported('transform', transform, wds, seen, session.run);
    await session.finish([result]);
    if (result.changed) nextRefresh(session, seen, wds);
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

async function foresee(session: Session, of: Omit<TransformChange, 'wds'>, wds: Wds) {
  const { readTransformForecast } = await import('../../lib/forecast/read-reported-forecast.ts');
  const seen = await readTransformForecast(of, wds);
  session.foresees(seen);
  return seen;
}

/** KubeStellar does not rewrite works when a transform changes. */
function nextRefresh(session: Session, { rows }: Forecast, wds: Wds) {
  const [first, ...others] = new Set(rows.flatMap(({ policy }) => policy ?? []));
  if (first === undefined) return;
  const refresh = command`stellarctl policy refresh ${first} ${flagsOf(wds)}`;
  const more = others.length === 0 ? '' : `; the same for ${few(others).join(', ')}`;
  session.next(textOf(noted(refresh, `existing works do not change until then${more}`)));
}
