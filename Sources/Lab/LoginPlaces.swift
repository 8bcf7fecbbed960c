/// The countries of the login half: shares of rows near those of the RBA data set, five large ones and a tail of 224.
enum LoginPlaces {
    /// Shares of the five that are named in the data set's description.
    static let largest: [Double] = [0.423, 0.278, 0.054, 0.038, 0.029]

    /// ISO 3166-1 codes with the latitude and longitude of each country's middle, in degrees; the largest first.
    static let table = """
        NO 61 9 US 39 -95 RU 56 40 BR -20 -47 DE 51 10 GB 52 -1 SE 59 16 DK 56 10 FI 61 25 FR 47 2 ES 40 -4 PL 52 19 \
        NL 52 5 IN 22 78 IT 43 12 UA 49 31 CA 50 -90 TR 39 35 RO 46 25 TH 15 101 PK 30 70 BD 24 90 PH 13 122 ID -5 115 \
        VN 16 107 CN 34 108 AU -30 145 LT 55 24 LV 57 25 PT 39 -8 GR 39 22 MX 23 -102 AR -34 -62 CO 4 -73 CL -33 -71 \
        ZA -29 25 NG 9 8 EG 28 30 MA 32 -6 DZ 33 3 IR 33 53 IQ 33 44 SA 24 45 AE 24 54 IL 31 35 RS 44 21 HR 45 16 \
        HU 47 20 CZ 50 15 SK 49 19 BG 43 25 CH 47 8 AT 48 14 BE 51 4 IE 53 -8 JP 36 138 KR 36 128 TW 24 121 HK 22 114 \
        SG 1 104 MY 4 102 NZ -41 174 PE -10 -76 VE 8 -66 EC -2 -78 KE 0 38 GH 8 -1 TN 34 9 EE 59 26 IS 65 -18 SI 46 15 \
        BA 44 18 MK 42 22 AL 41 20 ME 43 19 MD 47 29 BY 53 28 GE 42 44 AM 40 45 AZ 40 48 KZ 48 67 UZ 41 64 LK 7 81 \
        NP 28 84 MM 21 96 KH 13 105 LA 18 105 JO 31 36 LB 34 36 KW 29 48 QA 25 51 BH 26 51 OM 21 57 YE 15 48 SY 35 39 \
        PS 32 35 CY 35 33 MT 36 14 LU 50 6 DO 19 -70 CR 10 -84 PA 9 -80 GT 15 -90 HN 15 -87 SV 14 -89 NI 13 -85 BO -17 -65 \
        PY -23 -58 UY -33 -56 CU 22 -79 JM 18 -77 TT 10 -61 PR 18 -66 HT 19 -72 BS 24 -76 BB 13 -60 ET 9 40 TZ -6 35 \
        UG 1 32 RW -2 30 SN 14 -14 CI 8 -5 CM 6 12 AO -12 18 MZ -18 35 ZM -15 30 ZW -19 30 BW -22 24 NA -22 17 MU -20 57 \
        MG -20 47 SD 15 30 LY 27 17 SO 6 46 ML 17 -4 BF 13 -2 NE 16 8 TD 15 19 BJ 9 2 TG 8 1 GN 11 -10 SL 8 -12 LR 6 -9 \
        GM 13 -15 GA -1 12 CG -1 15 CD -3 23 BI -3 30 MW -13 34 LS -29 28 SZ -26 31 DJ 12 43 ER 15 39 MR 20 -10 CV 16 -24 \
        GW 12 -15 GQ 2 10 ST 0 7 SC -5 55 KM -12 44 SS 7 30 CF 7 21 AF 33 66 KG 41 75 TJ 39 71 TM 39 59 MN 46 105 BT 27 90 \
        MV 3 73 BN 5 115 TL -9 126 PG -6 147 FJ -18 178 SB -9 160 VU -16 167 WS -14 -172 TO -20 -175 KI 1 173 FM 7 158 \
        PW 7 134 MH 7 171 NR -1 167 TV -8 179 GL 65 -45 FO 62 -7 AX 60 20 SJ 78 20 GI 36 -5 AD 42 2 MC 44 7 SM 44 12 LI 47 10 \
        IM 54 -5 JE 49 -2 GG 49 -3 BM 32 -65 KY 19 -81 VG 18 -64 VI 18 -65 AI 18 -63 AG 17 -62 DM 15 -61 GD 12 -62 KN 17 -63 \
        LC 14 -61 VC 13 -61 AW 12 -70 CW 12 -69 SX 18 -63 BQ 12 -68 GP 16 -62 MQ 15 -61 GF 4 -53 GY 5 -59 SR 4 -56 BZ 17 -89 \
        TC 22 -72 PM 47 -56 RE -21 56 YT -13 45 NC -21 165 PF -15 -140 WF -13 -176 GU 13 145 MP 15 146 AS -14 -170 CK -21 -160 \
        NU -19 -170 MO 22 114
        """

    /// Code, latitude and longitude of each country.
    static let countries: [(code: String, latitude: Double, longitude: Double)] = {
        let words = table.split { $0 == " " || $0 == "\n" }.map { String($0) }
        var list: [(code: String, latitude: Double, longitude: Double)] = []
        for index in stride(from: 0, to: words.count - 2, by: 3) {
            let latitude: Double = Double(words[index + 1]) ?? 0
            let longitude: Double = Double(words[index + 2]) ?? 0
            list.append((words[index], latitude, longitude))
        }
        return list
    }()

    /// Shares of rows: what the largest leave falls by rank.
    static let shares: [Double] = {
        let tail = (0..<(countries.count - largest.count)).map { 1 / (Double($0) + 2) }
        let rest = (1 - largest.reduce(0, +)) / tail.reduce(0, +)
        return largest + tail.map { $0 * rest }
    }()

    /// A town's or region's name: two or three syllables that depend on the number alone.
    static func name(_ number: UInt64) -> String {
        let starts = ["Ba", "Ke", "Lo", "Mi", "Su", "Ta", "Ve", "Ho", "Ri", "Na", "Fe", "Go", "Dra", "Stu", "Kri", "Ple"]
        let middles = ["la", "ro", "ni", "me", "sta", "du", "vi", "ka"]
        let ends = ["vik", "dal", "ton", "berg", "grad", "mar", "by", "nes", "sk", "ra", "lin", "sund", "ville", "do", "pur", "holm"]
        let middle = number >> 8 & 1 == 0 ? "" : middles[Int(number >> 9 & 7)]
        return starts[Int(number & 15)] + middle + ends[Int(number >> 4 & 15)]
    }
}
