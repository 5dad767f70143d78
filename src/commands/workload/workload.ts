import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';
import { defineGroup } from '../shell/options.ts';
import { workloadGetCommand } from './get.ts';
import { workloadListCommand } from './list.ts';
import { workloadStatusCommand } from './status.ts';
import { workloadWaitCommand } from './wait.ts';

export const workloadGroup = (io: Io): Command =>
  defineGroup('workload', 'Commands for workloads: the objects of a WDS, on their way to WECs and back.', [
    workloadListCommand(io),
    workloadGetCommand(io),
    workloadStatusCommand(io),
    workloadWaitCommand(io),
  ]);
