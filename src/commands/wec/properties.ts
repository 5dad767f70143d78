import { parsePropertyChanges, type WecProperties } from '../../lib/ocm/model/customization.ts';
import type { ListedValues } from '../../lib/wecs/values/values.ts';
import { type ValueKind, valuesCommand } from './values.ts';

const properties: ValueKind<WecProperties> = {
  plural: 'properties',
  text: {
    description:
      'Changes the properties for customized workloads, in the ConfigMap of each WEC: key=value sets, with any text as value, key- removes, and a property that has another value is changed only with --overwrite. All WECs are checked before anything is written. Before templates lack a property, shows which workloads would be lost, and asks. --list shows the effective values: the ConfigMap takes precedence over annotations of the WEC, then its labels, then built-in ones.',
    examples: [
      [
        'stellarctl wec properties cluster1 clusterURL=https://c1.example maxPods=100',
        'set two properties',
      ],
      ['stellarctl wec properties cluster1 maxPods=200 --overwrite', 'change a property'],
      ['stellarctl wec properties cluster1 maxPods-', 'remove a property'],
      [
        'stellarctl wec properties --all --list',
        'list the effective properties of each WEC, and their sources',
      ],
    ],
  },
  listing: 'list the effective properties',
  parse: parsePropertyChanges,
  open: async (hub) => (await import('../../lib/wecs/values/properties.ts')).propertyStore(hub),
  async effectsOf(_its, found, changes) {
    const { wecChange } = await import('../../lib/forecast/wec-change.ts');
    const changed = found.flatMap(({ source }) =>
      source ? wecChange(source, { data: changes }) : [],
    );
    return changed.filter(({ lacks, stale }) => lacks.length + stale.length > 0);
  },
  async show(session, listed) {
    if (session.isForPeople) {
      await session.print({}, listed.flatMap(propertyRows), {
        NAME: ({ name }) => name,
        PROPERTY: ({ key }) => key,
        VALUE: ({ value }) => value,
        SOURCE: ({ source }) => source,
        SHADOWS: ({ shadows }) => shadows,
      });
    }
    for (const { name, more } of listed)
      if (more.ignored?.length)
        session.progress.note(
          `KubeStellar ignores ${more.ignored.join(', ')} of ${name}: not Go identifiers.`,
        );
  },
};

export const definition = valuesCommand(properties);

/** One row per property, with the value on one line. */
const propertyRows = ({ name, more }: ListedValues) =>
  (more.effective ?? []).map(({ key, value, source, shadows }) => ({
    name,
    key,
    value: quotedIfNeeded(value),
    source,
    shadows:
      shadows.map((hidden) => `${hidden.source} ${quotedIfNeeded(hidden.value)}`).join(', ') || '-',
  }));

const quotedIfNeeded = (value: string) => (/^[^\s"]+$/.test(value) ? value : JSON.stringify(value));
