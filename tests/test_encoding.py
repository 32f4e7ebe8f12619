from collections import Counter
from hashlib import sha256

from sentiment.corpus.encoding import encode, rank_words, tokenise


def test_words_are_lower_cased_in_ascii_alone_and_keep_their_apostrophes():
    text = "It's GOOD--really!<br />\tÉtonnant,\nnaïve…".encode()
    assert [word.decode() for word in tokenise(text)] == ["it's", "good", "really", "br", "Étonnant", "naïve…"]


def test_only_spaces_part_words_not_the_other_white_space_of_unicode():
    assert tokenise("a\u00a0b c\x85d\re".encode()) == ["a\u00a0b".encode(), "c\x85d\re".encode()]


def test_words_are_ranked_by_count_and_encoded_by_rank_without_the_unknown_ones():
    ranked = rank_words(Counter(b"b a c a b a".split()))
    assert ranked == [b"a", b"b", b"c"]
    ranks = {word: rank for rank, word in enumerate(ranked, start=1)}
    assert list(encode(b"c unknown a a".split(), ranks)) == [3, 1, 1]


def test_ties_stand_in_the_order_of_a_python_2_dict():
    # What Python 2.7.18 prints for a dict that had these words inserted one by one.
    words = b"one two three four five six seven eight".split()
    assert rank_words(Counter(words)) == b"seven six three two four five eight one".split()
    # The sha256 of 60,000 keys that it prints, one a line: enough of them for each rule by which a dict grows.
    order = b"\n".join(rank_words(Counter(b"w%d" % i for i in range(60_000))))
    assert sha256(order).hexdigest() == "35d28a213654dfeafcd7b6ff1152a24d51cb6a1d0c3466bdec91e01473cabd7f"
