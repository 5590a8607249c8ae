"""Mutated inputs by the thousand: whatever is opened is read rightly or refused in one message.

originals.py   one good input of each kind
mutate.py      seeded damage: of bytes, of JSON, of tables, of tensors, of folders
judge.py       opens an input as the product does, and judges what came out
worker.py      a process that judges many, and is killed with its input where it hangs or bloats
run.py         keeps the workers and their limits, and counts
"""
