import assert from 'node:assert/strict';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { type Plane, writeKubeconfig } from '../../../../testbed/index.ts';
import { assertRefused } from '../../support/refusal.ts';
import type { Surroundings } from './surroundings.ts';

export function testUse(surroundings: Surroundings): void {
  let hub: Plane;
  let older: Plane;
  let cli: Surroundings['cli'];
  const settings = () => path.join(cli.home, '.config', 'stellarctl', 'settings.json');

  /** The ITS that is meant, its server, and why. */
  async function meant(arguments_: string[] = [], env: Record<string, string> = {}): Promise<string[]> {
    const { name, server, source } = (await cli.succeed(['its', 'use', ...arguments_, '-o', 'json'], { env })).json();
    return [name, server, source];
  }

  describe('its use', () => {
    beforeEach(async () => {
      ({ hub, older, cli } = surroundings);
      await rm(path.dirname(settings()), { recursive: true, force: true });
    });

    it('shows the current context where nothing was chosen', async () => {
      assert.deepEqual(await meant(), ['its1', hub.server, 'current context']);
      const { stdout } = await cli.succeed(['its', 'use']);
      assert.match(stdout, /^ITS +SERVER +CHOSEN BY\nits1 +https:\S+ +current context\n$/);
    });

    it('chooses the ITS of later commands, in a file of its owner', async () => {
      assert.deepEqual(await meant(['its2']), ['its2', older.server, 'its use']);
      assert.deepEqual(await meant(), ['its2', older.server, 'its use']);
      assert.deepEqual(JSON.parse(await readFile(settings(), 'utf8')), { its: 'its2' });
      assert.equal((await stat(settings())).mode & 0o777, 0o600);
      const { stdout } = await cli.succeed(['wec', 'list', '-o', 'name']);
      assert.match(stdout, /^many-1$/m, 'the WECs of its2');
    });

    it('gives way to STELLARCTL_ITS, and both to --its', async () => {
      await cli.succeed(['its', 'use', 'its1']);
      assert.deepEqual(await meant([], { STELLARCTL_ITS: 'its2' }), ['its2', older.server, 'STELLARCTL_ITS']);
      const env = { STELLARCTL_ITS: 'nope' };
      assertRefused(await cli.run(['wec', 'list'], { env }), { exitCode: 2, says: /no context "nope"/ });
      const { stdout } = await cli.succeed(['wec', 'list', '--its', 'its2', '-o', 'name'], { env });
      assert.match(stdout, /^many-1$/m);
    });

    it('forgets the choice, with --unset, also where there was none', async () => {
      await cli.succeed(['its', 'use', 'its2']);
      assert.deepEqual(await meant(['--unset']), ['its1', hub.server, 'current context']);
      assert.deepEqual(await meant(['--unset']), ['its1', hub.server, 'current context']);
    });

    it('forgets the choice where no context is left to mean', async () => {
      const without = (await readFile(surroundings.bed.kubeconfig, 'utf8')).replace(/^current-context:.*$/m, '');
      const kubeconfig = path.join(cli.home, 'without-current');
      await writeFile(kubeconfig, without);
      await cli.succeed(['its', 'use', 'its2']);
      await cli.succeed(['its', 'use', '--unset'], { kubeconfig });
      assert.deepEqual(await meant(), ['its1', hub.server, 'current context']);
      assertRefused(await cli.run(['its', 'use'], { kubeconfig }), {
        exitCode: 2,
        says: /No ITS was given/,
        hint: /its1, its2/,
      });
    });

    it('refuses a context that is not there, and keeps the choice', async () => {
      await cli.succeed(['its', 'use', 'its2']);
      assertRefused(await cli.run(['its', 'use', 'nope']), {
        exitCode: 2,
        says: /no context "nope"/,
        hint: /its1, its2/,
      });
      assert.deepEqual(await meant(), ['its2', older.server, 'its use']);
      assertRefused(await cli.run(['its', 'use', 'its1', '--unset']), { exitCode: 2, says: /--unset/ });
      assert.deepEqual(await meant(), ['its2', older.server, 'its use']);
    });

    it('says where the choice comes from when the chosen context is gone', async () => {
      await cli.succeed(['its', 'use', 'its2']);
      const kubeconfig = await writeKubeconfig(hub, [hub.kubeconfigEntry]);
      const run = await cli.run(['wec', 'list'], { kubeconfig });
      assertRefused(run, { exitCode: 2, says: /no context "its2"/, hint: /its use/ });
    });

    it('says how to repair settings that cannot be read', async () => {
      await mkdir(path.dirname(settings()), { recursive: true });
      await writeFile(settings(), '{"its": ');
      assertRefused(await cli.run(['wec', 'list']), {
        exitCode: 1,
        says: /settings\.json are not JSON/,
        hint: /rm .*settings\.json/,
      });
    });

    it('refuses a cluster that answers and is no ITS, with --force as well, and keeps the choice', async () => {
      await cli.succeed(['its', 'use', 'its1']);
      const kubeconfig = await writeKubeconfig(hub, [
        hub.kubeconfigEntry,
        surroundings.bed.plane('wec').kubeconfigEntry,
      ]);
      for (const more of [[], ['--force']])
        assertRefused(await cli.run(['its', 'use', 'wec', ...more], { kubeconfig }), {
          exitCode: 1,
          says: /wec .*is not an ITS/,
          hint: /stellarctl its use CONTEXT/,
        });
      assert.deepEqual(await meant(), ['its1', hub.server, 'its use']);
    });

    it('chooses an ITS that does not answer only with --force, and shows what is chosen without asking it', async () => {
      const dead = {
        ...hub.kubeconfigEntry,
        connection: { ...hub.kubeconfigEntry.connection, server: 'https://127.0.0.1:1' },
      };
      const kubeconfig = await writeKubeconfig(hub, [dead]);
      assertRefused(await cli.run(['its', 'use', 'its1'], { kubeconfig }), {
        exitCode: 4,
        says: /connection refused.* was not chosen/,
        hint: /stellarctl its use its1 --force$/m,
      });
      assert.deepEqual(await meant(), ['its1', hub.server, 'current context']);
      const run = await cli.succeed(['its', 'use', 'its1', '--force'], { kubeconfig });
      assert.match(run.stdout, /its1 +https:\/\/127\.0\.0\.1:1 +its use/);
      assert.match(run.stderr, /^its1 was not seen to be an ITS: .*connection refused/);
      const shown = await cli.succeed(['its', 'use', '-v'], { kubeconfig });
      assert.match(shown.stdout, /its1 +https:\/\/127\.0\.0\.1:1 +its use/);
    });
  });
}
