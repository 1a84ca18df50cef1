"""Check digits of the identifiers that the hive masks; pure arithmetic on strings that are already compact.

Every function takes the identifier without separators, in upper case, and answers whether its check digits are right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_CIF_LETTERS = "JABCDEFGHI"
_CURP_ALPHABET = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
_ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _mod11_digit(total: int) -> int:
    """The Brazilian rule: a remainder below 2 gives 0, any other is subtracted from 11."""
    rest = total % 11
    return 0 if rest < 2 else 11 - rest


def is_cpf(digits: str) -> bool:
    """Brazilian individual taxpayer number, 11 digits.

    Source: Receita Federal do Brasil, Instrução Normativa RFB 2.172/2024; two modulo-11 digits, weights 10…2 and 11…2.
    """
    if len(digits) != 11 or digits == digits[0] * 11:
        return False
    first = _mod11_digit(_weighted(digits, range(10, 1, -1)))
    if first != int(digits[9]):
        return False
    return _mod11_digit(_weighted(digits[:10], range(11, 1, -1))) == int(digits[10])


_CNPJ_FIRST = (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
_CNPJ_SECOND = (6, *_CNPJ_FIRST)


def is_cnpj(code: str) -> bool:
    """Brazilian company number: 12 digits or capital letters and two check digits.

    Source: Receita Federal do Brasil, Instrução Normativa RFB 2.229/2024 (alphanumeric CNPJ, issued from July 2026):
    a character's value is its ASCII code less 48; two modulo-11 digits with weights 2…9 from the right.
    """
    if len(code) != 14 or not code[12:].isdigit() or code == code[0] * 14:
        return False
    values = [ord(character) - 48 for character in code]
    first = _mod11_digit(sum(value * weight for value, weight in zip(values, _CNPJ_FIRST, strict=False)))
    if first != values[12]:
        return False
    return _mod11_digit(sum(value * weight for value, weight in zip(values, _CNPJ_SECOND, strict=False))) == values[13]


def is_pis(digits: str) -> bool:
    """Brazilian PIS/PASEP/NIS/NIT, 11 digits.

    Source: Caixa Econômica Federal, Cadastro NIS; one modulo-11 digit, weights 3, 2, 9…2.
    """
    if len(digits) != 11 or digits == digits[0] * 11:
        return False
    return _mod11_digit(_weighted(digits, (3, 2, 9, 8, 7, 6, 5, 4, 3, 2))) == int(digits[10])


def is_cns(digits: str) -> bool:
    """Brazilian health card, 15 digits beginning with 1, 2, 7, 8 or 9.

    Source: Ministério da Saúde, DATASUS, rotina de validação do CNS; weights 15…1, sum divisible by 11.
    """
    return len(digits) == 15 and digits[0] in "12789" and _weighted(digits, range(15, 0, -1)) % 11 == 0


def is_cnh(digits: str) -> bool:
    """Brazilian driving licence (número de registro), 11 digits.

    Source: SENATRAN (ex DENATRAN), validação do número de registro da CNH; weights 9…1 and 1…9 modulo 11.
    """
    if len(digits) != 11 or digits == digits[0] * 11:
        return False
    first = _weighted(digits, range(9, 0, -1)) % 11
    carry = 2 if first > 9 else 0
    second = _weighted(digits, range(1, 10)) % 11
    second = 0 if second > 9 else second - carry
    if second < 0:
        second += 11
    return digits[9:] == f"{0 if first > 9 else first}{second % 10}"


def is_nif_pt(digits: str) -> bool:
    """Portuguese taxpayer number (NIF, NIPC), 9 digits.

    Source: Portaria 386/98 and the Autoridade Tributária's NIF rules; modulo 11, weights 9…2; leading digits in use.
    """
    if len(digits) != 9 or (
        digits[0] not in "1235689" and digits[:2] not in ("45", "70", "71", "72", "74", "75", "77", "78", "79")
    ):
        return False
    return _mod11_digit(_weighted(digits, range(9, 1, -1))) == int(digits[8])


def is_niss_pt(digits: str) -> bool:
    """Portuguese social security number, 11 digits beginning with 1 or 2.

    Source: Instituto da Segurança Social, regra do NISS; prime weights 29…2 modulo 10.
    """
    if len(digits) != 11 or digits[0] not in "12":
        return False
    return 9 - _weighted(digits, (29, 23, 19, 17, 13, 11, 7, 5, 3, 2)) % 10 == int(digits[10])


def is_cc_pt(code: str) -> bool:
    """Portuguese citizen card document number: 9 digits, two letters or digits, one digit.

    Source: AMA, "Validação de Número de Documento do Cartão de Cidadão"; Luhn over base-36 values.
    """
    if len(code) != 12 or not code[:9].isdigit() or not code[11].isdigit() or not code[9:11].isalnum():
        return False
    total = 0
    for position, character in enumerate(code):
        value = _ALNUM.find(character)
        if position % 2 == 0:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def is_dni_es(code: str) -> bool:
    """Spanish DNI: 8 digits and a letter.

    Source: Ministerio del Interior, Real Decreto 1553/2005; letter = number modulo 23.
    """
    return len(code) == 9 and code[:8].isdigit() and _DNI_LETTERS[int(code[:8]) % 23] == code[8]


def is_nie_es(code: str) -> bool:
    """Spanish foreigner number: X, Y or Z, 7 digits and a letter.

    Source: Orden INT/2058/2008; X, Y, Z stand for 0, 1, 2, then as the DNI.
    """
    if len(code) != 9 or code[0] not in "XYZ" or not code[1:8].isdigit():
        return False
    return is_dni_es(str("XYZ".index(code[0])) + code[1:])


def is_cif_es(code: str) -> bool:
    """Spanish entity number: a letter, 7 digits, a check digit or letter; also NIF with K, L or M.

    Source: Orden EHA/451/2008; Luhn over the 7 digits, as a digit or as a letter of JABCDEFGHI.
    """
    if len(code) != 9 or not code[1:8].isdigit():
        return False
    if code[0] in "KLM":
        return _DNI_LETTERS[int(code[1:8]) % 23] == code[8]
    odd = sum(sum(divmod(int(digit) * 2, 10)) for digit in code[1:8:2])
    check = (10 - (odd + sum(int(digit) for digit in code[2:8:2])) % 10) % 10
    if code[0] in "PQRSNW":
        return code[8] == _CIF_LETTERS[check]
    return code[8] == str(check) or (code[0] not in "ABEH" and code[8] == _CIF_LETTERS[check])


def is_nuss_es(digits: str) -> bool:
    """Spanish social security affiliation number, 12 digits.

    Source: Tesorería General de la Seguridad Social; the first ten modulo 97 (province and number joined).
    """
    if len(digits) != 12:
        return False
    number = int(digits[2:10])
    base = int(digits[:2]) * 10_000_000 + number if number < 10_000_000 else int(digits[:10])
    return base % 97 == int(digits[10:])


def is_ssn(digits: str) -> bool:
    """US social security number that can have been issued, 9 digits.

    Source: Social Security Administration, number randomization (2011): area not 000, 666 or 9xx; group and serial
    not zero.
    """
    return (
        len(digits) == 9
        and digits[:3] not in ("000", "666")
        and digits[0] != "9"
        and digits[3:5] != "00"
        and digits[5:] != "0000"
    )


def is_luhn(digits: str) -> bool:
    """Modulus-10 double-add-double. Source: ISO/IEC 7812-1:2017, annex B."""
    total = sum(int(digit) for digit in digits[::-2])
    total += sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return total % 10 == 0


def card_brand(digits: str) -> str:
    """The payment network of a card number, 13 to 19 digits, by its first digits and length; empty if none.

    Source: ISO/IEC 7812 issuer ranges as published by Visa, Mastercard, American Express, Diners/Discover, JCB,
    UnionPay, Elo, Hipercard.
    """
    n_digits, two, four = len(digits), int(digits[:2]), int(digits[:4])
    if digits[0] == "4" and n_digits in (13, 16, 19):
        return "visa"
    if n_digits == 16 and (51 <= two <= 55 or 2221 <= four <= 2720):
        return "mastercard"
    if n_digits == 15 and two in (34, 37):
        return "amex"
    if n_digits == 14 and (300 <= int(digits[:3]) <= 305 or two in (36, 38, 39)):
        return "diners"
    if n_digits >= 16 and (two in (35, 60, 62, 63, 64, 65, 67, 50, 56, 58, 30, 36, 38, 39)):
        return "other"
    return ""


def is_card(digits: str) -> bool:
    """A payment card number: a known issuer range and a right Luhn digit."""
    return 13 <= len(digits) <= 19 and bool(card_brand(digits)) and len(set(digits)) > 1 and is_luhn(digits)


def is_cuit_ar(digits: str) -> bool:
    """Argentine CUIT/CUIL, 11 digits beginning with 20, 23–27, 30, 33 or 34.

    Source: AFIP/ARCA, Resolución General 10/1997; modulo 11, weights 5 4 3 2 7 6 5 4 3 2.
    """
    if len(digits) != 11 or digits[:2] not in ("20", "23", "24", "25", "26", "27", "30", "33", "34"):
        return False
    return (11 - _weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11 == int(digits[10])


def is_rut_cl(code: str) -> bool:
    """Chilean RUT: 7 or 8 digits and a check digit or K.

    Source: Servicio de Registro Civil e Identificación; modulo 11, weights 2…7 from the right.
    """
    if len(code) not in (8, 9) or not code[:-1].isdigit():
        return False
    total = sum(int(digit) * (2 + position % 6) for position, digit in enumerate(reversed(code[:-1])))
    return "0123456789K0"[(11 - total % 11) % 11] == code[-1]


def is_curp_mx(code: str) -> bool:
    """Mexican CURP, 18 characters whose form was already checked.

    Source: RENAPO, Instructivo normativo para la asignación de la CURP (DOF 18-10-2021); weights 18…2 modulo 10.
    """
    if len(code) != 18 or not code[17].isdigit():
        return False
    total = sum(_CURP_ALPHABET.find(character) * (18 - position) for position, character in enumerate(code[:17]))
    return (10 - total % 10) % 10 == int(code[17])


def is_nhs_uk(digits: str) -> bool:
    """NHS number of England, Wales and the Isle of Man, 10 digits.

    Source: NHS Data Dictionary, NHS NUMBER; modulo 11, weights 10…2.
    """
    if len(digits) != 10:
        return False
    return (11 - _weighted(digits, range(10, 1, -1)) % 11) % 11 == int(digits[9])


#: Length of an IBAN by country. Source: SWIFT IBAN Registry (ISO 13616), release 99.
IBAN_LENGTHS: dict[str, int] = {
    pair[:2]: int(pair[2:])
    for pair in [
        "AD24",
        "AE23",
        "AL28",
        "AT20",
        "AZ28",
        "BA20",
        "BE16",
        "BG22",
        "BH22",
        "BI27",
        "BR29",
        "BY28",
        "CH21",
        "CR22",
        "CY28",
        "CZ24",
        "DE22",
        "DJ27",
        "DK18",
        "DO28",
        "EE20",
        "EG29",
        "ES24",
        "FI18",
        "FK18",
        "FO18",
        "FR27",
        "GB22",
        "GE22",
        "GI23",
        "GL18",
        "GR27",
        "GT28",
        "HN28",
        "HR21",
        "HU28",
        "IE22",
        "IL23",
        "IQ23",
        "IS26",
        "IT27",
        "JO30",
        "KW30",
        "KZ20",
        "LB28",
        "LC32",
        "LI21",
        "LT20",
        "LU20",
        "LV21",
        "LY25",
        "MC27",
        "MD24",
        "ME22",
        "MK19",
        "MN20",
        "MR27",
        "MT31",
        "MU30",
        "NI28",
        "NL18",
        "NO15",
        "OM23",
        "PK24",
        "PL28",
        "PS29",
        "PT25",
        "QA29",
        "RO24",
        "RS22",
        "RU33",
        "SA24",
        "SC31",
        "SD18",
        "SE24",
        "SI19",
        "SK24",
        "SM27",
        "SO23",
        "ST25",
        "SV28",
        "TL23",
        "TN24",
        "TR26",
        "UA29",
        "VA22",
        "VG24",
        "XK20",
        "YE30",
    ]
}


def is_iban(code: str) -> bool:
    """International bank account number of a registered country.

    Source: ISO 13616-1:2020; rearranged, letters as 10…35, remainder 1 modulo 97 (ISO/IEC 7064 MOD 97-10).
    """
    if IBAN_LENGTHS.get(code[:2]) != len(code) or not code[2:4].isdigit() or not code.isalnum() or not code.isascii():
        return False
    return int("".join(str(_ALNUM.index(character)) for character in code[4:] + code[:4])) % 97 == 1


Check = Callable[[str], bool]
