"""How many examples a property is tried on."""

from hypothesis import settings

#: Where a property guards money or order: 40 missed a real fault.
EXAMPLES = 150
#: Cases that stand in one frame: scoring 15 customers takes as long as scoring one.
TOGETHER = 15

each = settings(max_examples=EXAMPLES, deadline=None)
together = settings(max_examples=EXAMPLES // TOGETHER, deadline=None)
