/**
 * A controller of KubeStellar that starts by any other command than `wds restart` or `wds repair` can delete all workloads of a WDS
 * (facts: a restart seen live). So no text of the program or its pages names one, and one function says which to use.
 */
import './support/environment.ts';
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { filesOf, filesWith, read } from './support/sources.ts';

/** Commands of kubectl that start, scale, restart or replace pods. */
const starting =
  /\bkubectl\b[^`\n]*\s(?:scale|rollout|autoscale|(?:delete|replace|patch|edit|set (?:image|env|resources)) (?:pods?|deploy))[^`\n]*/g;
const controllers =
  /kubestellar-controller|transport-controller|managerDeployment|transportDeployment/;
/** Stops one: nothing is sent. */
const stopping = /--replicas 0\b/;

const commandsIn = (files: readonly string[]) =>
  files.flatMap((file) =>
    [...read(file).matchAll(starting)].map(([command]) => ({ file, command })),
  );

test('no text names another command that starts a controller of KubeStellar', () => {
  const all = commandsIn(
    filesOf('src/**/*.ts', 'docs/**/*.md', 'README.md', 'scripts/troubleshooting.txt'),
  );
  assert.ok(all.length > 10, `only ${all.length} commands found`);
  const wrong = all.filter(({ command }) => controllers.test(command) && !stopping.test(command));
  assert.deepEqual(wrong, []);
});

test('the commands of src that start something have subjects that are known', () => {
  const subjects = commandsIn(filesOf('src/**/*.ts')).filter(
    ({ command }) => !stopping.test(command),
  );
  assert.deepEqual(
    subjects.map(({ file, command }) => {
      const words = command.replace(/.* (?=scale|rollout)/, '').replace(/\$\{(\w+)\}/g, '<$1>');
      return `${path.basename(file)}: ${words}`;
    }),
    [
      'pods.ts: scale <kind> <name> --replicas 1',
      'webhook.ts: rollout restart deployment <webhookName>',
      'credentials.ts: rollout restart statefulset/vcluster',
    ],
  );
});

test("what scales anything up is asked for KubeStellar's controllers by one function only", () =>
  assert.deepEqual(filesWith(/\b(?:running|scaleUp)\(/), [
    'src/lib/kube/pods.ts',
    'src/lib/ocm/hub/hub-checks.ts',
    'src/lib/ocm/hub/webhook.ts',
    'src/lib/spaces/hosting/hosting-stages.ts',
    'src/lib/spaces/space/controllers-run.ts',
    'src/lib/spaces/space/space-stages.ts',
    'src/lib/wecs/registration/registration-checks.ts',
  ]));
