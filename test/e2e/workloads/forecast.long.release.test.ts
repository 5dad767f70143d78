/**
 * What is forecast is what KubeStellar does: made-up changes of labels, properties and policies, whose works are compared with the rows of
 * the dry run, object by object and WEC by WEC. TEST_SEED makes up others, TEST_CHANGES another number of them.
 */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type AnyObject, resources } from '../../../testbed/index.ts';
import {
  accepted,
  ForecastBed,
  keyOf,
  type Mailboxes,
  type Sent,
  unaccepted,
  wdses,
} from '../support/forecast-bed.ts';
import {
  Changes,
  initialLabels,
  initialPolicies,
  type Tried,
  workloadsOf,
} from '../support/forecast-changes.ts';
import { isRelease } from '../support/in-release.ts';

const seed = Number(process.env.TEST_SEED ?? 1);
const count = Number(process.env.TEST_CHANGES ?? (isRelease ? 300 : 40));

/** The effects that such changes have at mailboxes, with how many rows of each a full run has at least. */
const effects = ['added', 'removed', 'kept', 'recreated', 'stale', 'blocked'];
const leastRows = 15;

/** A row of a dry run, as far as it is compared. */
interface Row {
  effect: string;
  wec: string | null;
  object: { kind: string; namespace: string | null; name: string } | null;
  policy: string | null;
  wds: string | null;
  why: string;
}

let bed: ForecastBed;

before(async () => {
  bed = await ForecastBed.start();
  const at = (wds: string) => `--wds ${wds} --its its1`;
  for (const [wec, labels] of Object.entries(initialLabels)) await bed.label(wec, labels);
  for (const wds of wdses) {
    for (const object of workloadsOf(wds))
      await bed.wds(wds).create(resources.resourceOf(object), object);
    await bed.cli.type(`collector create replicas --preset replicas ${at(wds)}`);
    const transform = ['transform', 'create', 'no-secret', '--select', 'configmaps'];
    await bed.cli.succeed([...transform, '--remove', '$.data.secret', ...at(wds).split(' ')]);
  }
  for (const wec of [...accepted, unaccepted])
    await bed.cli.type(`wec properties ${wec} region=eu zone=a --its its1`);
  for (const [key, spec] of Object.entries(initialPolicies)) {
    const [wds = '', name = ''] = key.split('/');
    const policy = { metadata: { name }, spec } as AnyObject;
    await bed.wds(wds).create(resources.bindingPolicies, policy);
  }
  await bed.startProbes();
});

after(() => bed?.stop());

/** Runs a command without doing anything, and returns what it foresees. */
async function foresee({ words, input = '' }: Tried): Promise<Row[]> {
  const run = await bed.cli.run([...words, '--dry-run', '-o', 'json'], { input });
  assert.equal(run.exitCode, 0, `${words.join(' ')} ${input}\n${run.stdout}${run.stderr}`);
  return run.json().effects ?? [];
}

async function act({ words, input = '' }: Tried) {
  await bed.cli.succeed([...words, '--yes', '--max-removed', '99'], { input });
}

/** Whether a change of one row's object is that of a work: what goes with its Namespace may go without it. */
const goesWithSpace = ({ why }: Row) => why.startsWith('its Namespace ');
const rowKey = ({ wec, policy, wds, object }: Row) =>
  keyOf(wec, policy, wds, object ?? { kind: '?', name: '?' });
const placeOf = (key: string) => key.replace(/^(\S+) \S+ \(\S+\) /, '$1 ');

/** Compares what was foreseen with what has happened. */
function differences(rows: readonly Row[], was: Mailboxes, is: Mailboxes): string[] {
  const added = (one: Mailboxes, other: Mailboxes) =>
    [...one].flatMap(([key, { uid }]) => (other.get(key)?.uid === uid ? [] : key));
  const created = new Set(added(is, was));
  const gone = new Set(added(was, is));
  const of = (...some: string[]) => rows.filter(({ effect }) => some.includes(effect));
  const going = of('removed', 'kept', 'recreated');
  const mustGo = new Set(going.filter((row) => !goesWithSpace(row)).map(rowKey));
  const mayGo = new Set(going.map(rowKey));
  const mustCome = new Set([
    ...of('added').map(rowKey),
    ...of('recreated').flatMap((row) => {
      const [, policy, wds] = /^(\S+) \((\S+)\) starts to send it$/.exec(row.why) ?? [];
      return policy === undefined ? [] : rowKey({ ...row, policy, wds: wds ?? '' });
    }),
  ]);
  const comesAgain = new Set(of('recreated').map((row) => placeOf(rowKey(row))));
  return [
    ...[...gone].filter((key) => !mayGo.has(key)).map((key) => `unforeseen: gone ${key}`),
    ...[...mustGo].filter((key) => !gone.has(key)).map((key) => `has not gone: ${key}`),
    ...[...created]
      .filter((key) => !mustCome.has(key) && !comesAgain.has(placeOf(key)))
      .map((key) => `unforeseen: created ${key}`),
    ...[...mustCome].filter((key) => !created.has(key)).map((key) => `has not come: ${key}`),
    ...of('blocked', 'stale')
      .filter((row) => was.get(rowKey(row))?.uid !== is.get(rowKey(row))?.uid)
      .map((row) => `${row.effect}, and changed: ${rowKey(row)}`),
    ...of('stale')
      .filter((row) => was.get(rowKey(row))?.manifest !== is.get(rowKey(row))?.manifest)
      .map((row) => `stale, and rewritten: ${rowKey(row)} ${text(is.get(rowKey(row)))}`),
    ...of('unknown', 'crashes', 'taken-over').map(
      (row) => `${row.effect}: ${rowKey(row)}, ${row.why}`,
    ),
  ];
}

const text = (sent: Sent | undefined) => sent?.manifest;

const lineOf = (row: Row) => `${row.effect}: ${rowKey(row)}: ${row.why}`;

it(`${count} changes have the effects that are foreseen`, async () => {
  console.log(`TEST_SEED=${seed} TEST_CHANGES=${count}`);
  const changes = new Changes(seed);
  const rowsOf = new Map(effects.map((effect) => [effect, 0]));
  const failures: string[] = [];
  let was = await bed.settle();
  for (let index = 1; index <= count; index += 1) {
    const change = changes.next();
    if (change.isCure) {
      await act(change);
      await bed.settle();
      was = await bed.settle();
      continue;
    }
    const rows = await foresee(change);
    for (const { effect } of rows) rowsOf.set(effect, (rowsOf.get(effect) ?? 0) + 1);
    await act(change);
    let is = await bed.settle();
    let found = differences(rows, was, is);
    // A probe may overtake what a policy sends besides.
    for (let more = 0; more < 3 && found.length > 0; more += 1) {
      is = await bed.settle();
      found = differences(rows, was, is);
    }
    was = is;
    const command = `change ${index}: ${change.words.join(' ')} ${change.input ?? ''}`;
    if (process.env.TEST_SEED !== undefined)
      console.log(`${Math.round(performance.now() / 1000)} s, ${rows.length} rows, ${command}`);
    if (found.length === 0) continue;
    const report = [command, ...found, ...rows.map((row) => `  ${lineOf(row)}`)].join('\n');
    console.log(report);
    failures.push(report);
  }
  console.log(JSON.stringify(Object.fromEntries(rowsOf)));
  assert.equal(failures.length, 0, `${failures.length} changes had other effects`);
  const rare = [...rowsOf].filter(([, rows]) => rows < (isRelease ? leastRows : 1));
  assert.deepEqual(rare, []);
});
