"""Words without content of their own, in three languages, folded."""

from __future__ import annotations

STOPWORDS = frozenset(
    """
    the and for with from that this these those into onto our your their his her its are was were been being have has had will would should
    could can may must shall not but all any some each every who whom which what when where why how than then there here out off over under
    about after before again just only also very too more most please need want does did doing let lets get got per via
    you make makes wants quer quero queremos gostaria quiero quiere queremos quisiera
    que para por com sem dos das uma uns umas nos nas aos pelo pela pelos pelas este esta estes estas esse essa isso isto aquele aquela ele ela
    eles elas seu sua seus suas meu minha nosso nossa mais menos muito muita tambem quando onde como qual quais quem porque ser ter foi sao esta
    estao era tem temos deve devem pode podem fazer favor todos todas todo toda nao ate apos antes depois entre sobre ainda agora sempre cada
    del los las una unos unas con sin por para que este esta estos estas ese esa eso aquel ella ellos sus mis nuestro nuestra mas menos muy
    tambien cuando donde como cual cuales quien porque ser estar fue son era tiene tenemos debe deben puede pueden hacer favor todos todas
    todo toda hasta antes despues entre sobre aun ahora siempre cada hay han haber hemos lleva vez
    """.split()  # noqa: SIM905 - one block of words is easier to read than a list
)
