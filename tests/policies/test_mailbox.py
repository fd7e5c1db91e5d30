from uat_resilience.policies.mailbox import Mailbox


def test_a_note_left_while_another_is_carried_out_is_carried_out_next() -> None:
    done: list[str] = []

    def carry_out(note: str) -> str:
        if note == "first":
            mailbox.post("second")
            assert done == []
        done.append(note)
        return note

    told: list[str] = []
    mailbox = Mailbox(carry_out, told.append)

    mailbox.post("first")

    assert done == told == ["first", "second"]
    assert not mailbox.lock.locked()
