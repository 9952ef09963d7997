# Servers as Debian packages them, each an OCI image, in pods with volumes and ports.
#
# Their files are taken from the root file system that `make debian-root` makes, or from GANTRY_TEST_DEBIAN (any that
# debootstrap has made with --include=nginx-light,redis-server,postgresql will do; what is not there is skipped).

load ../lib/gantry
load ../lib/debian

MKOCI=$BATS_TEST_DIRNAME/../lib/mkoci.py
ROOT=$DEBIAN

# copy DIR PATH...: these of ROOT, with the libraries that programs among them need, into DIR
copy() {
	local to=$1 path
	shift
	mkdir -p "$to"
	(cd "$ROOT" && cp -a --parents "${@#/}" "$to")
	find "$to" -type f -perm /111 -o -name '*.so*' -type f | sed "s|^$to||" >"$to.programs"
	# Paths as ROOT's loader sees them, made real files: images have no links of merged directories.
	xargs -a "$to.programs" -r chroot "$ROOT" ldd 2>/dev/null | sed -nE 's|.*[[:space:]](/[^ ]*) \(0x.*|\1|p' | sort -u |
		while read -r path; do
			[ -e "$to$path" ] || (cd "$ROOT" && cp -aL --parents ".$path" "$to")
		done
}

# service NAME DESCRIPTION-LINE...: an image of the layers base and NAME, which are directories
service() {
	local name=$1 layer
	shift
	for layer in base "$name"; do
		[ -f "$F/$layer.tar" ] || tar -C "$F/$layer" -cf "$F/$layer.tar" .
	done
	printf '%s\n' "$@" "tar $F/base.tar" "tar $F/$name.tar" | "$MKOCI" "$F/layout" "$name" >/dev/null
}

setup_file() {
	need root python veth nft ns-flavor
	need_debian
	suite_up
	outside_up
	F=$BATS_FILE_TMPDIR
	copy "$F/base" /bin/dash /bin/cat /bin/ls /usr/bin/id /bin/sleep /bin/chmod /bin/mkdir
	mkdir -p "$F/base"/{etc,tmp,run,var/log,usr/bin}
	mkdir -p "$F/base/bin"
	[ -e "$F/base/bin/dash" ] || cp -a "$ROOT/bin/dash" "$F/base/bin/"
	ln -sf dash "$F/base/bin/sh"
	chmod 1777 "$F/base/tmp"
	cp "$ROOT/etc/passwd" "$ROOT/etc/group" "$F/base/etc/"
}
teardown_file() { suite_down; }
setup() {
	test_up
	F=$BATS_FILE_TMPDIR
}
teardown() { test_down; }

installed() { [ -x "$ROOT/$1" ] || skip "no $1 in $ROOT"; }
image() { echo "oci:$F/layout:$1"; }
from_out() { in_world timeout 60 ip netns exec out "$@"; }
# get PORT WORD: does the server there send a page with the word, to a client on another machine?
get() { from_out sh -c 'printf "GET / HTTP/1.0\r\n\r\n" | nc -w 5 192.0.2.1 "$1" | grep -q "$2"' sh "$@"; }
# redis LINE...: the server's answers to commands that are lines (QUIT is sent behind them, so that it ends the call)
redis() { printf '%s\r\n' "$@" QUIT | from_out nc -w 20 192.0.2.1 6379 | tr -d '\r'; }
redis_is_up() { [ "$(redis PING)" = $'+PONG\n+OK' ]; }

@test "services: nginx serves a volume on a port, and ends by its own signal" {
	installed usr/sbin/nginx
	copy "$F/nginx" /usr/sbin/nginx /etc/nginx /usr/share/nginx /var/log/nginx
	mkdir -p "$F/nginx/var/lib/nginx" "$F/nginx/var/www/html"
	rm -rf "$F/nginx/etc/nginx/modules-enabled" "$F/nginx/etc/nginx/sites-enabled"
	mkdir -p "$F/nginx/etc/nginx/sites-enabled"
	echo 'server { listen 80; root /var/www/html; }' >"$F/nginx/etc/nginx/sites-enabled/default"
	echo 'of the image' >"$F/nginx/var/www/html/index.html"
	service nginx 'config Entrypoint ["/usr/sbin/nginx"]' 'config Cmd ["-g","daemon off;"]' 'config StopSignal "SIGQUIT"' \
		'config ExposedPorts {"80/tcp":{}}' 'config Volumes {"/var/www/html":{},"/var/lib/nginx":{}}'
	mkdir "$T/html"
	echo 'of the volume' >"$T/html/index.html"
	g run --detach --port=80-tcp:8080 "$(image nginx)" --name=web
	assert_ok
	wait_for 60 get 8080 'of the image' ||
		fail "$(cat "$DATA"/pods/run/*/logs/web.log)"
	g stop "${lines[-1]}"
	g run --detach --port=80-tcp:8081 --volume=h,kind=host,source="$T/html",readOnly=true \
		--mount=volume=h,target=/var/www/html "$(image nginx)" --name=web
	assert_ok
	UUID=${lines[-1]}
	wait_for 60 get 8081 'of the volume' ||
		fail "$(cat "$DATA"/pods/run/*/logs/web.log)"
	g stop "$UUID"
	wait_state "$UUID" exited
	g status "$UUID"
	assert_out app-web=0
}

@test "services: redis keeps its data in a volume" {
	installed usr/bin/redis-server
	copy "$F/redis" /usr/bin/redis-check-rdb
	mkdir -p "$F/redis/usr/bin" "$F/redis/data"
	ln -sf redis-check-rdb "$F/redis/usr/bin/redis-server"
	chown --reference="$ROOT/var/lib/redis" "$F/redis/data"
	service redis 'config User "redis"' 'config WorkingDir "/data"' 'config Volumes {"/data":{}}' \
		'config Cmd ["/usr/bin/redis-server","--protected-mode","no"]' 'config ExposedPorts {"6379/tcp":{}}'
	mkdir "$T/kept"
	chown --reference="$ROOT/var/lib/redis" "$T/kept"
	local try
	for try in 1 2; do
		g run --detach --port=6379-tcp:6379 --volume=volume-data,kind=host,source="$T/kept" "$(image redis)" --name=redis
		assert_ok
		UUID=${lines[-1]}
		wait_for 60 redis_is_up || fail "$(cat "$DATA"/pods/run/*/logs/redis.log)"
		assert_equal "$(redis 'INCR n' "SET k$try v" DBSIZE)" ":$try"$'\n'"+OK"$'\n'":$((try + 1))"$'\n+OK'
		g stop "$UUID"
		wait_state "$UUID" exited
	done
	[ -s "$T/kept/dump.rdb" ] || fail "nothing was written to the volume"
	# one that nobody gives is as the image's directory
	g run --net=none "$(image redis)" --exec=/bin/sh -- -c 'id -u; id -g; ls -ld /data; : > /data/x && ls /data'
	assert_ok
	assert_match '^drwx.* redis redis .*/data$' '^x$'
}

@test "services: PostgreSQL starts on a fresh volume, and again on a full one" {
	local dir
	dir=$(ls -d "$ROOT"/usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -V | tail -n 1)
	[ -n "$dir" ] || skip "no PostgreSQL in $ROOT"
	dir=${dir#"$ROOT"} dir=/${dir#/} dir=${dir%/bin/postgres}
	copy "$F/pg" "$dir" /usr/share/postgresql /usr/share/zoneinfo
	mkdir -p "$F/pg/var/lib/postgresql/data" "$F/pg/var/run/postgresql" "$F/pg/usr/local/bin"
	chown --reference="$ROOT/var/lib/postgresql" "$F/pg/var/lib/postgresql/data" "$F/pg/var/run/postgresql"
	chmod 700 "$F/pg/var/lib/postgresql/data"
	cat >"$F/pg/usr/local/bin/start" <<-EOF
		#!/bin/sh
		set -e
		if [ ! -e "\$PGDATA/PG_VERSION" ]; then
			echo secret >/tmp/password
			$dir/bin/initdb --auth-local=trust --auth-host=scram-sha-256 --pwfile=/tmp/password --locale=C >/dev/null
			echo 'host all all 192.0.2.0/24 scram-sha-256' >>"\$PGDATA/pg_hba.conf"
		fi
		exec $dir/bin/postgres -c listen_addresses='*' "\$@"
	EOF
	chmod 755 "$F/pg/usr/local/bin/start"
	service pg 'config User "postgres"' 'config Env ["PGDATA=/var/lib/postgresql/data","LANG=C"]' 'config StopSignal "INT"' \
		'config Entrypoint ["/usr/local/bin/start"]' 'config ExposedPorts {"5432/tcp":{}}' \
		'config Volumes {"/var/lib/postgresql/data":{}}'
	g run --detach --port=5432-tcp:5432 "$(image pg)" --name=pg -- -c fsync=off
	assert_ok
	UUID=${lines[-1]}
	sql() { gantry enter --app=pg "$UUID" "$dir/bin/psql" -h /var/run/postgresql -At -c "$1" >"$T/sql" 2>&1; }
	# another machine's, which has to know the password
	remote() { from_out env PGPASSWORD="$1" chroot "$ROOT" "$dir/bin/psql" -h 192.0.2.1 -U postgres -At -c "$2" >"$T/remote" 2>&1; }
	up() { wait_for 120 sql 'select 1' || fail "$(cat "$DATA"/pods/run/*/logs/pg.log "$T/sql")"; }
	up
	sql 'create table t as select 42 as x'
	remote secret 'update t set x = x + 1; select x from t' || fail "$(cat "$T/remote")"
	assert_equal "$(tail -n 1 "$T/remote")" 43
	! remote wrong 'select 1' || fail "any password will do"
	grep -q 'password authentication failed' "$T/remote" || fail "$(cat "$T/remote")"
	g stop "$UUID"
	wait_state "$UUID" exited
	g restart --detach "$UUID"
	assert_ok
	up
	sql 'select x from t'
	assert_equal "$(cat "$T/sql")" 43
	g stop "$UUID"
	wait_state "$UUID" exited
	g status "$UUID"
	assert_out app-pg=0
}
