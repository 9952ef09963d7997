# Hosts of a small internet in the world: names, addresses, TLS on port 443, plain HTTP on port 80.
# Loaded by the files that need it; needs root and openssl.
# shellcheck shell=bash disable=SC2154

FRONT=${HTTPD%/*}/front

# hosts_up NAME...: each NAME becomes an address (127.0.1.1, ...) in the world's /etc/hosts, and one
# certificate, which the world trusts, is made for all of them.
hosts_up() {
	local name n=0 san=
	HOSTS=$BATS_FILE_TMPDIR/hosts
	export HOSTS
	mkdir -p "$HOSTS/certs"
	: >"$HOSTS/pids"
	echo '127.0.0.1 localhost' >"$HOSTS/etc-hosts"
	for name; do
		n=$((n + 1))
		echo "127.0.1.$n $name" >>"$HOSTS/etc-hosts"
		san+=,DNS:$name
		mkdir -p "$HOSTS/$name/www"
	done
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext "subjectAltName=${san#,}" \
		-keyout "$HOSTS/key.pem" -out "$HOSTS/certs/ca-certificates.crt" 2>/dev/null
	in_world mount --bind "$HOSTS/etc-hosts" /etc/hosts
	in_world mount --bind "$HOSTS/certs" /etc/ssl/certs
}

host_address() { awk -v name="$1" '$2 == name {print $1}' "$HOSTS/etc-hosts"; }

host_front() { # NAME PORT CERTIFICATE KEY TARGET
	local address
	address=$(host_address "$1")
	(exec setpriv --pdeathsig KILL nsenter --target="$WORLD" --net -- \
		"$FRONT" "$address" "$2" "$3" "$4" "$5") </dev/null >/dev/null 2>&1 3>&- 4>&- &
	echo $! >>"$HOSTS/pids"
	wait_for 60 in_world bash -c ": </dev/tcp/$address/$2"
}

# host_up NAME tls|plain|both: what lies in $HOSTS/NAME/www is served; $HOSTS/NAME/access.log tells of it.
host_up() {
	local dir=$HOSTS/$1 port
	(exec setpriv --pdeathsig KILL nsenter --target="$WORLD" --mount --net -- \
		"$HTTPD" "$dir/www" "$dir/port" "$dir/access.log") </dev/null >/dev/null 2>&1 3>&- 4>&- &
	echo $! >>"$HOSTS/pids"
	wait_for 60 test -s "$dir/port"
	port=$(cat "$dir/port")
	: >"$dir/access.log"
	[ "$2" = plain ] || host_front "$1" 443 "$HOSTS/certs/ca-certificates.crt" "$HOSTS/key.pem" "$port"
	[ "$2" = tls ] || host_front "$1" 80 - - "$port"
}

# host_redirects NAME URL: all that is asked there over TLS is redirected to URL + path.
host_redirects() { host_front "$1" 443 "$HOSTS/certs/ca-certificates.crt" "$HOSTS/key.pem" "$2"; }

hosts_down() {
	local pid
	[ -s "${HOSTS:-}/pids" ] || return 0
	while read -r pid; do
		kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || :
	done <"$HOSTS/pids"
}

# host_page NAME PATH [LINE...]: the discovery page of https://NAME/PATH with these lines in its head.
host_page() {
	local file=$HOSTS/$1/www/$2
	mkdir -p "${file%/*}"
	shift 2
	{
		echo '<!DOCTYPE html><html><head><title>A page</title>'
		printf '%s\n' "$@"
		echo '</head><body><p>Text</p></body></html>'
	} >"$file?ac-discovery=1"
}

# Tags for the page: images under PREFIX by TEMPLATE, keys for PREFIX at URL.
tag() { echo "<meta name=\"ac-discovery\" content=\"$1 $2\">"; }
keys_tag() { echo "<meta name=\"ac-discovery-pubkeys\" content=\"$1 $2\">"; }

# What was asked of a host, one path per line; host_forget begins anew.
host_asked() { awk '{print $2}' "$HOSTS/$1/access.log"; }
host_forget() {
	local name
	for name; do : >"$HOSTS/$name/access.log"; done
}
