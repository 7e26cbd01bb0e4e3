#!/bin/bash
# boot.sh CHECKOUT DEPENDENCIES OUT   (root)
#
# Boots this machine's own tree, copy-on-write in memory, as a container with a systemd of its own
# and no network but loopback. liqwatch is installed there as the README says, except that its
# dependencies are those of the folder DEPENDENCIES, and in_container.py judges it. What pytest
# says goes to OUT/said/log; the exit status is pytest's, or 77 where this machine cannot do it.
# Mounts die with the namespace they were made in.
set -euo pipefail
export CHECKOUT=$1 DEPENDENCIES=$2 OUT=$3 SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1

unshare --mount true || exit 77
mkdir "$OUT"/{memory,said}

# Where no systemd rules, nspawn makes its control groups below our own, and leaves them behind.
hierarchies=()
[ -d /run/systemd/system ] || for hierarchy in /sys/fs/cgroup{,/systemd,/unified}; do
	[ -w "$hierarchy/cgroup.procs" ] && hierarchies+=("$hierarchy")
done
clean_up() {
	for hierarchy in "${hierarchies[@]}"; do
		echo $$ >"$hierarchy/cgroup.procs"
		for _ in {1..20}; do # the last processes may still be dying
			find "$hierarchy/liqwatch-$$" -depth -type d -exec rmdir {} + 2>/dev/null && break
			sleep 0.1
		done
	done
}
trap clean_up EXIT
for hierarchy in "${hierarchies[@]}"; do
	mkdir "$hierarchy/liqwatch-$$"
	echo $$ >"$hierarchy/liqwatch-$$/cgroup.procs"
done

timeout --kill-after=5 100 unshare --mount bash -euo pipefail <<'PRIVATE' &
mount --make-rprivate / && mount -t tmpfs -o size=256m tmpfs "$OUT/memory" || exit 77
cd "$OUT/memory"
mkdir changes work root
mount -t overlay overlay -o lowerdir=/,upperdir=changes,workdir=work root || exit 77
cd root

units=etc/systemd/system
rm -rf {opt,etc,var/lib/private}/liqwatch $units/liqwatch.service* # this machine may have its own
/usr/bin/python3 -m venv --without-pip opt/liqwatch
packages=$(echo opt/liqwatch/lib/python3.*/site-packages)
echo /opt/liqwatch/dependencies >"$packages/dependencies.pth"
cp -r "$CHECKOUT/liqwatch" "$packages"
cp -r "$CHECKOUT/tests" opt/liqwatch/tests
install -D -m 644 "$CHECKOUT/config/liqwatch.yaml" etc/liqwatch/config.yaml
install -m 600 /dev/null etc/liqwatch/telegram-token
install -m 644 "$CHECKOUT/systemd/liqwatch.service" $units/
mkdir $units/liqwatch.service.d
sed -n 's/^WatchdogSec=.*/[Service]\nWatchdogSec=3/p' $units/liqwatch.service \
	>$units/liqwatch.service.d/shorter.conf

cat >$units/judge.service <<UNIT
[Service]
Type=oneshot
Environment=PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/opt/liqwatch/tests/sinks
ExecStart=/opt/liqwatch/bin/python -m pytest -c /dev/null -v -p no:cacheprovider \
 -o asyncio_mode=auto -o asyncio_default_fixture_loop_scope=session \
 -o asyncio_default_test_loop_scope=session /opt/liqwatch/tests/service/in_container.py
ExecStopPost=/bin/sh -c "systemctl exit \$EXIT_STATUS"
StandardOutput=append:/said/log
StandardError=append:/said/log
UNIT
cat >$units/judge.target <<UNIT
[Unit]
Requires=basic.target dbus.socket
After=basic.target
Wants=judge.service
AllowIsolate=yes
UNIT
: >etc/machine-id
: >etc/fstab
for timer in /lib/systemd/system/*.timer; do ln -sf /dev/null "$units/${timer##*/}"; done

: >"$OUT/prepared"
[ -d /run/systemd/system ] && scope= || scope=--keep-unit
exec systemd-nspawn -q --directory=. --machine=liqwatch-$$ --register=no $scope --private-network \
	--bind-ro="$DEPENDENCIES:/opt/liqwatch/dependencies" \
	--bind="$OUT/said:/said" \
	--console=read-only --kill-signal=SIGRTMIN+3 \
	--boot systemd.unit=judge.target systemd.show_status=0 </dev/null
PRIVATE
container=$!
trap 'kill $container' TERM
status=0
wait $container || status=$?
[ $status != 143 ] || wait $container || true # we were told to end, and passed it on
[ ! -e "$OUT/prepared" ] || [ -e "$OUT/said/log" ] || status=77
exit $status
