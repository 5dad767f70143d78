/**
 * What scripts may rely on, beside what test/contract.txt records of the last version. `npm run docs` adds what is new. What is gone is
 * taken out by hand, in the version after the one that has warned of it.
 */
import './support/environment.ts';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { comparedWith, contract, contractFile } from '../../scripts/contract.ts';

const recorded = readFileSync(contractFile, 'utf8');

describe('what scripts rely on', () => {
  it('stays', async () => {
    const { gone } = await comparedWith(recorded);
    assert.deepEqual(
      gone,
      [],
      `gone from the commands and docs, and still in test/contract.txt. What no release has had, take out there; for all else, see "What stays" in docs/output.md:\n${gone.join('\n')}`,
    );
  });

  it('is recorded (else: npm run docs)', async () => {
    assert.deepEqual((await comparedWith(recorded)).added, []);
  });

  it('is not forgotten by npm run docs', async () => {
    const [first = '', ...others] = (await contract('')).split('\n').filter(Boolean);
    const gone = 'command wec no-more NAME';
    const other = [gone, ...others].join('\n');
    assert.deepEqual(await comparedWith(other), { gone: [gone], added: [first] });
    assert.equal(await contract(other), `${[first, gone, ...others].sort().join('\n')}\n`);
  });
});
