import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isLocalName, lookup } from '../../../../../src/lib/kube/client/local-names.ts';

describe('a name means the machine that asks', () => {
  test('as localhost, localtest.me and whatever is below them', () => {
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
  test('but not as one that only looks like it', () => {
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

describe('a local name is found without DNS', () => {
  const find = (options: { all?: boolean }) =>
    new Promise((resolve, reject) =>
      lookup('its1.localtest.me', options, (error, address, family) =>
        error ? reject(error) : resolve(family === undefined ? address : [address, family]),
      ),
    );
  test('as one address', async () => assert.deepEqual(await find({}), ['127.0.0.1', 4]));
  test('as the list that connections to the first that answers ask for', async () =>
    assert.deepEqual(await find({ all: true }), [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]));
});
