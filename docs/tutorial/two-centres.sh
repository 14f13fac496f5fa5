# SPDX-License-Identifier: Apache-2.0
# What docs/tutorial/first-line.md types, up to the adoption of the pack: a start for the how-to pages. From the top of
# the checkout, in bash:   . docs/tutorial/two-centres.sh
# It leaves you in a new folder with the homes `north` and `south`, both on duty, and three shorthands:
#   begin HOME           put the centre of that home on duty, in the background; options of `servanda serve` may follow
#   end HOME             take it off duty
#   fingerprint PARTY    the fingerprint that `servanda init` printed
# The pack is that of the tutorial, or the folder that PACK names.
export PATH="$PWD/.venv/bin:$PATH" CHECKOUT="$PWD"
export SERVANDA_PASSPHRASE="for this exercise only" SERVANDA_ROOT_PASSPHRASE="also for this exercise only"
cd "$(mktemp -d)" || return

begin() {
    servanda serve --home "$@" >> "$1.log" 2>&1 &
    echo $! > "$1.pid"
    until [ -S "$1/control.sock" ]; do kill -0 "$(cat "$1.pid")" || return; done
}
end() { kill "$(cat "$1.pid")"; wait "$(cat "$1.pid")"; }
fingerprint() { sed -n 's/^fingerprint //p' "$1.made"; }

pack="${PACK:-$CHECKOUT/docs/tutorial/harbour}"
servanda init --home north --pack "$pack" --party north --port "${NORTH_PORT:-7101}" > north.made
servanda init --home south --pack "$pack" --party south --port "${SOUTH_PORT:-7102}" > south.made
begin north; begin south
servanda card --home north --output north.card
servanda card --home south --output south.card
servanda meet --home north south.card --fingerprint "$(fingerprint south)"
servanda meet --home south north.card --fingerprint "$(fingerprint north)"
cat > adopt.json <<END
{"format": "adopt", "subject": "Adoption of the pack", "event-at": "2026-01-10", "author": "desk-1",
 "status": "exercise", "exercise-at": "2026-01-10T09:00:00Z",
 "content": {"pack": "$(servanda check "$pack" | sed -n 's/^digest //p')"}}
END
for home in north south; do
    servanda draft --home $home adopt.json
    servanda submit --home $home d1
    servanda release --home $home d1 --as release-1
done
for home in north south; do
    until servanda status --home $home | grep -q 'pack in force: [0-9a-f]'; do :; done
done
