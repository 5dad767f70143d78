#!/bin/bash
# kine --endpoint postgres://USER:PASSWORD@HOST/DATABASE?OPTIONS: its API server gets etcd, whose data outlive the pod.
set -e
database=${2##*/}
exec etcd --data-dir "$BED_NETWORK.${database%%\?*}" --unsafe-no-fsync --log-level warn \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
