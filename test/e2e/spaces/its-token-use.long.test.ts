/** Join files and tokens for users without access to the ITS, and the choice of the ITS. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type Bed, type Plane, writeKubeconfig } from '../../../testbed/index.ts';
import { Cli } from '../support/harness.ts';
import { announce } from '../support/pretended-agents.ts';
import { assertRefused, assertRefuses } from '../support/refusal.ts';
import { enterBed, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
let cli: Cli;
/** its1, the current context. */
let hub: Plane;
/** its2 */
let older: Plane;

before(async () => {
  const planes = [
    { name: 'its1', hub: true },
    { name: 'its2', hub: { autoApprove: true } },
    { name: 'wec' },
  ];
  bed = await enterBed(planes);
  [hub, older] = [bed.plane('its1'), bed.plane('its2')];
  cli = await Cli.create(bed.kubeconfig);
  await announce(older, 'of-its2');
});

after(() => leaveBed(cli));

/** The claims of a token. */
function claimsOf(token: string): { exp: number; iat: number; sub: string } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

const place = (name: string) => path.join(cli.home, name);

describe('its token', () => {
  beforeEach(() => hub.markAudit());

  // Its document and what it prints: test/golden/wecs/2-accept.txt; its file: test/unit/lib/core/private-file.test.ts.
  it('writes a file that only its owner can read, with a token of its account, for --duration', async () => {
    const file = place('one.join');
    const before = process.umask(0);
    try {
      await cli.type(`its token --duration 20m --file ${file}`);
    } finally {
      process.umask(before);
    }
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const { token, expires } = JSON.parse(await readFile(file, 'utf8'));
    const { exp, iat, sub } = claimsOf(token);
    assert.equal(sub, 'system:serviceaccount:open-cluster-management:agent-registration-bootstrap');
    assert.equal(exp - iat, 1200);
    assert.ok(Math.abs(exp * 1000 - Date.parse(expires)) <= 1000, 'it expires when it says');
  });

  it('requests no token if the file cannot be written', async () => {
    await mkdir(place('folder'), { recursive: true });
    for (const file of [place('no/such/folder/x.join'), place('folder')]) {
      await assertRefuses(cli, [hub], ['its', 'token', '--file', file], {
        exitCode: 1,
        says: /cannot be written/,
      });
    }
  });
});

const settings = () => path.join(cli.home, '.config', 'stellarctl', 'settings.json');

/** The chosen ITS, its server, and the source of the choice. */
async function meant(arguments_: string[] = [], env: Record<string, string> = {}) {
  const { name, server, source } = (
    await cli.succeed(['its', 'use', ...arguments_, '-o', 'json'], { env })
  ).json();
  return [name, server, source];
}

describe('its use', () => {
  beforeEach(async () => {
    await rm(path.dirname(settings()), { recursive: true, force: true });
  });

  it('chooses the ITS of later commands, in a private file', async () => {
    assert.deepEqual(await meant(['its2']), ['its2', older.server, 'its use']);
    assert.deepEqual(await meant(), ['its2', older.server, 'its use']);
    assert.deepEqual(JSON.parse(await readFile(settings(), 'utf8')), { its: 'its2' });
    assert.equal((await stat(settings())).mode & 0o777, 0o600);
    const { stdout } = await cli.succeed(['wec', 'list', '-o', 'name']);
    assert.match(stdout, /^of-its2$/m, 'the WECs of its2');
  });

  it('rejects a cluster that is not an ITS, and keeps the choice', async () => {
    await cli.succeed(['its', 'use', 'its1']);
    const kubeconfig = await writeKubeconfig(hub, [
      hub.kubeconfigEntry,
      bed.plane('wec').kubeconfigEntry,
    ]);
    assertRefused(await cli.run(['its', 'use', 'wec'], { kubeconfig }), {
      exitCode: 1,
      says: /wec .*is not an ITS/,
    });
    assert.deepEqual(await meant(), ['its1', hub.server, 'its use']);
  });
});
