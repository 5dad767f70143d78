/** The page about local clusters, and an ITS of type external: on what `install` has left. */
import assert from 'node:assert/strict';
import { blocksOf, typedIn } from '../pages.ts';
import { additions } from './readme.ts';
import type { Run } from './run.ts';

/** What a second `init` must not touch: names, UIDs and generations on the hosting cluster. */
const objects =
  'kubectl --context kind-kubeflex get deployments,statefulsets,services,controlplanes,postcreatehooks -A' +
  ` -o 'jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.uid} {.metadata.generation}{"\\n"}{end}'`;

/** docs/local-clusters.md as printed; its `init` is a second one, and finds everything as it is. */
export async function local(run: Run): Promise<void> {
  const { shell } = run;
  const lines = blocksOf('docs/local-clusters.md')
    .filter(({ notRun }) => notRun === undefined)
    .flatMap(typedIn)
    .map(({ text }) => text.replace(/\s+#.*$/, ''));
  assert.match(lines[0] ?? '', /^stellarctl init /);
  const before = await shell.type(objects);
  for (const line of lines) {
    await shell.type(`${line}${additions(line, run)}`);
    if (line === lines[0]) assert.equal(await shell.type(objects), before);
  }
}

/** Another cluster of kind as an ITS: the hosting cluster reaches it by the name of its container. */
export async function external(run: Run): Promise<void> {
  const { shell } = run;
  const create = 'kind create cluster --name hub';
  const address = 'https://hub-control-plane:6443';
  await shell.type(`${create}${additions(create, run)}`);
  const made = await shell.type(
    `stellarctl its create its2 --type external --bootstrap-context kind-hub --hub-apiserver ${address} --hosting-context kind-kubeflex`,
  );
  assert.match(made, /its2: ready/);
  await shell.type('stellarctl its get its2 --hosting-context kind-kubeflex');
  await shell.type('stellarctl its delete its2 --yes --hosting-context kind-kubeflex');
  await shell.type('stellarctl wec delete hub --force --yes');
}
