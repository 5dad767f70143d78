/** The page about local clusters, and an ITS of type external: on what `install` has left. */
import assert from 'node:assert/strict';
import { blocksOf } from '../pages.ts';
import { printedIn, typePrinted } from './readme.ts';
import { hosting, type Run } from './run.ts';

/** What a second `init` must not touch: names, UIDs and generations on the hosting cluster. */
const objects =
  'kubectl --context kind-kubeflex get deployments,statefulsets,services,controlplanes,postcreatehooks -A' +
  ` -o 'jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.uid} {.metadata.generation}{"\\n"}{end}'`;

/** docs/local-clusters.md as printed; its `init` is a second one, and finds everything as it is. */
export async function local(run: Run): Promise<void> {
  const { shell } = run;
  const lines = printedIn(blocksOf('docs/local-clusters.md'));
  assert.match(lines[0] ?? '', /^stellarctl init /);
  const before = await shell.type(objects);
  for (const line of lines) {
    await typePrinted(line, run);
    if (line === lines[0]) assert.equal(await shell.type(objects), before);
  }
}

/** Another cluster of kind as an ITS: the hosting cluster reaches it by the name of its container. */
export async function external(run: Run): Promise<void> {
  const { shell } = run;
  const address = 'https://hub-control-plane:6443';
  await typePrinted('kind create cluster --name hub', run);
  const made = await shell.type(
    `stellarctl its create its2 --type external --bootstrap-context kind-hub --hub-apiserver ${address} ${hosting}`,
  );
  assert.match(made, /its2: ready/);
  await shell.type(`stellarctl its get its2 ${hosting}`);
  await shell.type(`stellarctl its delete its2 --yes ${hosting}`);
  await shell.type('stellarctl wec delete hub --force --yes');
}
