import '../../../support/environment.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argumentsWithoutSecrets } from '../../../../../src/lib/core/program.ts';

test('arguments of programs are shown without secrets', () => {
  const cases: [args: string[], shown: string][] = [
    [
      ['upgrade', 'ks', 'oci://ghcr.io/x', '--version', '1.0'],
      'upgrade ks oci://ghcr.io/x --version 1.0',
    ],
    [['--set', 'db.password=hunter2,a=b', '-n', 'x'], '--set db.password=(hidden) -n x'],
    [['--set-json', 'db.pw=hunter2'], '--set-json db.pw=(hidden)'],
    [['--set-json', 'x={"password":"hunter2"}'], '--set-json x=(hidden)'],
    [['--set=db.password=hunter2'], '--set=(hidden)'],
    [['--password', 'hunter2', 'x'], '--password (hidden) x'],
    [['--username', 'hunter', '--username=hunter'], '--username (hidden) --username=(hidden)'],
    [['--set-literal', 'a=1,db.password=hunter2'], '--set-literal a=(hidden)'],
    [
      ['--values', 'https://user:hunter2@x.example/v.yaml?token=hunter2'],
      '--values https://x.example/v.yaml?token=(hidden)',
    ],
    [['--values', '/tmp/values.json'], '--values /tmp/values.json'],
    [['--password=hunter2'], '--password=(hidden)'],
    [['--kube-token', 'hunter2'], '--kube-token (hidden)'],
    [['-e', 'DB_PASSWORD=hunter2'], '-e DB_PASSWORD=(hidden)'],
    [['--from-literal=password=hunter2=x'], '--from-literal=(hidden)'],
    [['oci://user:hunter2@registry.example/x'], 'oci://registry.example/x'],
    [['--env', 'x=line\nsecret=hunter2\nmore'], '--env x=(hidden)'],
    [['get', 'secret', 'x'], 'get secret x'],
    [['--kubeconfig', '/home/me/.kube/config'], '--kubeconfig /home/me/.kube/config'],
  ];
  for (const [args, shown] of cases) assert.equal(argumentsWithoutSecrets(args).join(' '), shown);
});
