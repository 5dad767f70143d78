import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isLocalName, lookup } from '../../../../../src/lib/kube/client/proxy.ts';

describe('a name refers to this machine', () => {
  test('if it is localhost, localtest.me or below them', () => {
    for (const name of [
      'localhost',
      'LOCALHOST.',
      'a.localhost',
      'localtest.me',
      'its1.localtest.me',
      'a.b.localtest.me.',
    ])
      assert.equal(isLocalName(name), true, name);
  });
  test('but not if it only looks similar', () => {
    for (const name of [
      'localhost.example.com',
      'mylocalhost',
      'notlocaltest.me',
      'localtest.me.example.com',
      'me',
      '',
    ])
      assert.equal(isLocalName(name), false, name);
  });
});

describe('a local name resolves without DNS', () => {
  const find = (options: { all?: boolean }) =>
    new Promise((resolve, reject) =>
      lookup('its1.localtest.me', options, (error, address, family) =>
        error ? reject(error) : resolve(family === undefined ? address : [address, family]),
      ),
    );
  test('to one address', async () => assert.deepEqual(await find({}), ['127.0.0.1', 4]));
  test('to the list that happy-eyeballs connections ask for', async () =>
    assert.deepEqual(await find({ all: true }), [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]));
});
