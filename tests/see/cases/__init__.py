"""Small faulty and healthy programs, each with what an explanation of its gradient must say.

A case is a public function taking a tape class. Its docstring's first line is `symptom: cause`, with
alternatives that are equally true after `|`; a trailing `# HERE` marks each line that may be named. It answers
`(tape, target, source)`, or the explanation itself where the question has to be asked inside the program.
"""
