"""The order of a Python 2.7 dict, in which Keras's word index has words that are equally frequent."""


def python2_dict_order(words: list[bytes]) -> list[bytes]:
    """The order in which 64-bit CPython 2.7 iterates over a dict that had these distinct words inserted one by one.

    Source: Objects/dictobject.c (lookdict_string, dictresize) of CPython 2.7. The table has open addressing; it grows
    when an insertion leaves it two thirds full.
    """
    size = 8
    table: list[tuple[int, bytes] | None] = [None] * size
    for used, word in enumerate(words, start=1):
        _insert(table, (_python2_hash(word), word))
        if 3 * used >= 2 * size:
            # The first power of two above so many times the entries.
            size = 1 << (used * (2 if used > 50_000 else 4)).bit_length()
            old, table = table, [None] * size
            for entry in filter(None, old):
                _insert(table, entry)
    return [entry[1] for entry in table if entry]


def _insert(table: list[tuple[int, bytes] | None], entry: tuple[int, bytes]) -> None:
    mask = len(table) - 1
    slot = perturb = entry[0]
    while table[slot & mask] is not None:
        slot = 5 * slot + perturb + 1
        perturb >>= 5
    table[slot & mask] = entry


def _python2_hash(word: bytes) -> int:
    """hash(word) of 64-bit CPython 2.7, modulo 2**64 (string_hash in Objects/stringobject.c, PYTHONHASHSEED unset)."""
    value = word[0] << 7
    for byte in word:
        value = (1000003 * value ^ byte) & 0xFFFF_FFFF_FFFF_FFFF
    return value ^ len(word)
