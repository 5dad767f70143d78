#!/bin/bash
# kine --endpoint postgres://USER:PASSWORD@HOST/DATABASE?OPTIONS: its API server gets etcd, whose data outlive the pod. While a pod
# that is being replaced still holds the data, this one reaches them through it.
set -e
database=${2##*/}
data=$BED_NETWORK.${database%%\?*}
exec 9>>"$data.holder"
if ! flock --nonblock 9; then
  etcd grpc-proxy start --endpoints "http://$(tail -n 1 "$data.holder"):2379" --listen-addr 127.0.0.1:2379 9>&- &
  flock 9
  kill %1
  wait || true
fi
echo "$BED_POD_IP" >&9
exec etcd --data-dir "$data" --unsafe-no-fsync --log-level warn --listen-peer-urls http://127.0.0.1:2380 \
  --listen-client-urls "http://127.0.0.1:2379,http://$BED_POD_IP:2379" --advertise-client-urls http://127.0.0.1:2379
