# Keys and detached signatures: each kind of key is made once per run of bats, with an agent that ends
# with the file.
# shellcheck shell=bash disable=SC2154

# gpg as somebody who signs images; never the keyring that gantry itself uses.
signer() { gpg --homedir "$KEYS/home" --batch --quiet --yes --no-tty --pinentry-mode loopback --passphrase '' "$@" 3>&- 4>&-; }

new_key() { # UID ALGORITHM [EXPIRES [gpg option...]]
	local uid=$1 algo=$2 expire=${3:-never}
	shift 3 2>/dev/null || shift $#
	signer "$@" --quick-generate-key "$uid" "$algo" sign "$expire" 2>>"$KEYS/log"
}

key_fpr() { signer --with-colons --fingerprint "=$1" 2>/dev/null | awk -F: '$1 == "fpr" {print tolower($10); exit}'; }

# keys_up: good@, other@ (trusted for nothing unless a test does), expired@ (ran out in 2020), revoked@,
# rsa@ (can sign with SHA-1).  Armored public keys are in $KEYS/NAME.asc, fingerprints in $KEYS/NAME.fpr.
keys_up() {
	need gpg
	KEYS=$BATS_RUN_TMPDIR/gantry-keys
	export KEYS
	mkdir -p -m 700 "$KEYS/home"
	(
		flock 9
		[ ! -e "$KEYS/done" ] || exit 0
		set -e
		new_key good@example.com ed25519
		new_key other@example.com ed25519
		new_key expired@example.com ed25519 20200201T000000 --faked-system-time 20200101T000000
		new_key revoked@example.com ed25519
		new_key rsa@example.com rsa2048
		for name in good other expired revoked rsa; do
			signer --armor --export "=$name@example.com" >"$KEYS/$name.asc"
			key_fpr "$name@example.com" >"$KEYS/$name.fpr"
		done
		cp "$KEYS/revoked.asc" "$KEYS/revoked-before.asc"
		: >"$KEYS/done"
	) 9>"$KEYS/lock" || { cat "$KEYS/log"; return 1; }
}

# The revocation certificate that gpg laid by when it made the key; the colon keeps it from being used
# by accident.  Done after signing, since gpg does not sign with a revoked key.
revoke_key() { # NAME
	local fpr
	fpr=$(tr a-f A-F <"$KEYS/$1.fpr")
	(
		flock 9
		[ ! -e "$KEYS/$1.is-revoked" ] || exit 0
		sed 's/^:-----BEGIN/-----BEGIN/' "$KEYS/home/openpgp-revocs.d/$fpr.rev" >"$KEYS/$1.rev"
		signer --import "$KEYS/$1.rev" 2>>"$KEYS/log"
		signer --armor --export "=$1@example.com" >"$KEYS/$1.asc"
		: >"$KEYS/$1.is-revoked"
	) 9>"$KEYS/lock"
}

keys_down() { [ ! -d "${KEYS:-}" ] || gpgconf --homedir "$KEYS/home" --kill all 2>/dev/null || :; }

# sign FILE NAME [gpg option...]: FILE.asc, armored and detached.
sign() {
	local file=$1 who=$2
	shift 2
	rm -f "$file.asc"
	signer "$@" --local-user "=$who@example.com" --armor --output "$file.asc" --detach-sign "$file" 2>>"$KEYS/log"
}

# install_key NAME PREFIX [DIR]: lay a key into a trust store as rkt lays it out; PREFIX "root" is the
# root of all names.
install_key() {
	local dir=${3:-$LOCAL}/trustedkeys fpr
	fpr=$(cat "$KEYS/$1.fpr")
	[ "$2" = root ] && dir+=/root.d || dir+=/prefix.d/$2
	mkdir -p "$dir"
	cp "$KEYS/$1.asc" "$dir/$fpr"
}
