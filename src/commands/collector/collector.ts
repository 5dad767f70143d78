import { Option } from 'commander';
import { StellarError } from '../../lib/core/errors.ts';
import { advice } from '../../lib/core/next-step.ts';
import { checkDnsName } from '../../lib/core/object-names.ts';
import type { Wds } from '../../lib/spaces/choose/open-wds.ts';
import type {
  CollectorRequest,
  CollectorView,
} from '../../lib/workloads/status/change-collector.ts';
import type { Definition } from '../common/define.ts';
import { section } from '../common/lines.ts';
import { dryRunOption, repeatable, wdsOptions, yesOption } from '../common/options.ts';
import type { Session } from '../common/session.ts';

export const list: Definition = {
  description:
    'Lists the StatusCollectors of a WDS with the policies that name them, and the errors in their expressions.',
  examples: [['stellarctl collector list', 'the collectors of the default WDS']],
  options: wdsOptions(),
  async run(session) {
    const { listCollectors } = await import('../../lib/workloads/status/change-collector.ts');
    const wds = await session.wds();
    const items = await listCollectors(wds);
    await session.print({ wds: wds.name, items }, items, {
      NAME: ({ name }) => name,
      COLUMNS: ({ columns }) => columns.join(','),
      'USED BY': ({ usedBy }) => usedBy.join(',') || '-',
      STATE: ({ errors }) => errors[0]?.split('\n')[0] ?? 'ok',
    });
    const create = ['collector', 'create', 'NAME', '--preset', 'replicas'];
    if (items.length === 0) session.noneInWds(wds, 'status collectors', create);
  },
};

export const get: Definition = {
  description:
    'Shows the expressions of a StatusCollector, the policies that name it, and where KubeStellar cannot evaluate it.',
  examples: [['stellarctl collector get replicas', 'its columns, and its errors']],
  arguments: [['<name>', 'the collector']],
  options: wdsOptions(),
  async run(session, _options, [name = '']) {
    checkDnsName(name, 'a status collector');
    const { getCollector } = await import('../../lib/workloads/status/change-collector.ts');
    const { view } = await getCollector(await session.wds(), name);
    await session.show(view, () => describeCollector(view));
  },
};

type CollectorOptions = Partial<CollectorRequest>;

export const create: Definition<CollectorOptions> = {
  description:
    'Creates a StatusCollector, which makes tables from the status that WECs return. Binding policies refer to it by name (policy create --status). Expressions are CEL over inventory.name (the WEC), obj (the object in the WDS), returned.status, and propagation.lastReturnedUpdateTimestamp.',
  examples: [
    ['stellarctl collector create replicas --preset replicas', 'the replicas on each WEC'],
    [
      'stellarctl collector create ready --column ready=returned.status.readyReplicas',
      'columns of your own',
    ],
    [
      'stellarctl collector create total --combine sum=SUM:returned.status.replicas',
      'one row for all WECs',
    ],
  ],
  arguments: [['<name>', 'the name of the collector']],
  rare: ['--group-by', '--limit', '--its', '--hosting-context'],
  options: [
    new Option('--preset <preset>', 'a ready-made set of columns').choices([
      'replicas',
      'conditions',
      'available-wecs',
    ]),
    ['--filter <expression>', 'which returned statuses to include'],
    repeatable('--column <column>', 'a column, with a row for each WEC, as NAME=EXPRESSION'),
    repeatable(
      '--combine <column>',
      'a column aggregated over WECs, as NAME=COUNT or NAME=SUM|AVG|MIN|MAX:EXPRESSION',
    ),
    repeatable('--group-by <column>', 'a row for each value of this column, as NAME=EXPRESSION'),
    new Option('--limit <rows>', 'the maximum number of rows (default: 20)').argParser(Number),
    ...wdsOptions(),
    dryRunOption(),
  ],
  async run(session, options, [name = '']) {
    checkDnsName(name, 'a status collector');
    const change = await import('../../lib/workloads/status/change-collector.ts');
    const { createReported } = await import('../../lib/workloads/selection/create-object.ts');
    const { column = [], groupBy = [], combine = [] } = options;
    const spec = change.collectorSpec({ ...options, column, groupBy, combine });
    const wds = await session.wdsToWrite();
    const foresee = () => requireNoCrash(session, name, wds);
    const created = await createReported('collector', { name, spec }, wds, foresee, session.run);
    await session.finish([created]);
    session.next(change.toUseCollector(name, wds));
  },
};

/** @throws StellarError `loss-unknown` if KubeStellar would confuse statuses that policies ask the collector for already */
async function requireNoCrash(session: Session, name: string, wds: Wds) {
  const { readCollectorForecast } = await import('../../lib/forecast/read-reported-forecast.ts');
  const { unforeseenIn } = await import('../../lib/forecast/losses.ts');
  const seen = await readCollectorForecast(name, wds);
  session.foresees(seen);
  const [why] = unforeseenIn(seen);
  if (why === undefined) return seen;
  throw new StellarError(
    'loss-unknown',
    `It is unknown what WECs would lose: ${why}. Nothing was written.`,
    advice('Give one of them another name, or combine the statuses of neither'),
  );
}

type RemoveOptions = { force?: boolean };

export const remove: Definition<RemoveOptions> = {
  description:
    'Deletes a StatusCollector and what it has collected. Refuses while a binding policy names it.',
  destroys: true,
  examples: [['stellarctl collector delete replicas', 'a collector that no policy names']],
  arguments: [['<name>', 'the collector']],
  options: [
    ['--force', 'delete a collector that binding policies name; they then have an error'],
    yesOption('for scripts that give it to every deletion: nothing is asked'),
    ...wdsOptions(),
    dryRunOption(),
  ],
  async run(session, { force }, [name = '']) {
    checkDnsName(name, 'a status collector');
    const { deleteCollector } = await import('../../lib/workloads/status/change-collector.ts');
    const { noForecast } = await import('../../lib/forecast/read-forecast.ts');
    const wds = await session.wdsToWrite();
    await session.finish([await deleteCollector(name, { force }, wds, noForecast, session.run)]);
  },
};

function describeCollector({ name, spec, usedBy, errors }: CollectorView) {
  const { filter, groupBy = [], combinedFields = [], select = [], limit } = spec;
  const columns = [...groupBy, ...select].map((column) => `${column.name}   ${column.def}`);
  const combined = combinedFields.map(
    (field) => `${field.name}   ${field.type}${field.subject ? ` of ${field.subject}` : ''}`,
  );
  const wrong = errors.flatMap((error) => error.split('\n'));
  return [
    `StatusCollector ${name}`,
    ...section('filter', filter === undefined || filter === '' ? [] : [filter]),
    ...section('columns', [...columns, ...combined]),
    ...section('limit', limit === undefined ? [] : [`${limit} rows`]),
    ...section('used by', [usedBy.length === 0 ? 'no binding policy' : usedBy.join(', ')]),
    ...section('errors', wrong),
  ];
}
